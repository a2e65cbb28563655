export { pullModel } from "./pull.ts";
export { pushModel, type PushOptions } from "./push.ts";
export type { FetchOptions } from "./fetchFile.ts";
