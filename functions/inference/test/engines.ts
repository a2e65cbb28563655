/** The engines that tests of the whole endpoint run with. */
import type { Engine } from "tinygptv/engine";
import { createFakeEngine } from "../src/testing/fakeEngine.ts";

export const engines: readonly { name: string; create: () => Engine }[] = [
  { name: "fake", create: () => createFakeEngine({ tokenMs: 1 }) },
];
