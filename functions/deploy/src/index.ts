/** Builds the functions into what a platform takes. Runs where one builds, never in a function. */
export { bundle } from "./bundle.ts";
export { copyInstalled } from "./installed.ts";
export { reportSizes } from "./sizes.ts";
export { writeVercelOutput } from "./vercelOutput.ts";
