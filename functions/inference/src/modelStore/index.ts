export { pullModel } from "./pull.ts";
export { pushModel } from "./push.ts";
