/** What Vercel deploys: `vercel.json` leads every path here. */
export { default } from "../src/vercel.ts";

export const config = { runtime: "edge" };
