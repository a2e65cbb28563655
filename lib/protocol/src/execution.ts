/** What runs a model, as it is asked for. */

/** What can be asked for; `auto` is the best that is there and computes right. */
export const providers = ["auto", "cpu", "webgpu", "cuda"] as const;
export type Provider = (typeof providers)[number];

/** In what precision the language model computes on a device; `auto` is the best that its self-test finds right. */
export const precisions = ["auto", "float32", "float16"] as const;
export type PrecisionChoice = (typeof precisions)[number];
