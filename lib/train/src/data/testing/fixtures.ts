import { fileURLToPath } from "node:url";
import { openDataSet, type DataSetSpec } from "../dataSets.ts";
import type { Sample } from "../sample.ts";

/** A file or folder of `test/fixtures/train`. */
export const fixture = (path: string): string =>
  fileURLToPath(new URL(`../../../../../test/fixtures/train/${path}`, import.meta.url));

/** All samples of a set, with the first of everything that is drawn unless `random` says otherwise. */
export async function allSamples(
  spec: Omit<DataSetSpec, "name">,
  random: () => number = () => 0,
): Promise<Sample[]> {
  const set = await openDataSet({ name: "set", ...spec });
  if (set.kind !== "listed") throw new Error("want a set whose samples have numbers");
  return Promise.all(Array.from({ length: set.length }, (_, i) => set.sample(i, random)));
}
