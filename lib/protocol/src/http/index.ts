/**
 * The HTTP API as schemas: the server validates and documents with them, the
 * playground and other programs take their types from them. Needs zod only.
 */
export * from "./chat.ts";
export * from "./compare.ts";
export * from "./error.ts";
export * from "./fields.ts";
export * from "./inspect.ts";
export * from "./paths.ts";
export * from "./resources.ts";
