import { fileURLToPath } from "node:url";
import type { Manifest } from "@tinygptv/model";
import { readManifest } from "@tinygptv/model/disk";
import { expect, it } from "vitest";
import { fullDepth, publishedConfig } from "../../../../test/bench/dimensions.ts";
import { graphsOf } from "../engine/parts.ts";
import { fitOf } from "./fit.ts";

const folder = fileURLToPath(new URL("../../../../models/nano/converted", import.meta.url));
const nano = await readManifest(folder);
const roomy = { memory: 8 * 2 ** 30, disk: 1e11 };

/** The published dimensions with data files of such sizes. */
function full(phi: number): Manifest {
  const graphs = graphsOf(nano, "int4");
  const sizes = new Map([
    [`${graphs.phi}.data`, phi],
    [`${graphs.vision}.data`, 1.0e9],
    [`${graphs.qformer}.data`, 0.11e9],
  ]);
  const files = nano.files.map((file) => ({ ...file, bytes: sizes.get(file.path) ?? file.bytes }));
  return { ...nano, config: publishedConfig(fullDepth), files };
}
const int4 = full(1.42e9);

it("says nothing of a small level", () => {
  for (const runsOn of ["wasm", "webgpu"] as const)
    expect(fitOf(nano, "int4", 15e6, { runsOn, ...roomy })).toEqual({
      refusal: undefined,
      notes: [],
    });
});

it("says what the full model needs and what there is, and of WebAssembly how slow it will be", () => {
  const onGpu = fitOf(int4, "int4", 2.8e9, { runsOn: "webgpu", ...roomy });
  expect(onGpu).toEqual({
    refusal: undefined,
    notes: [
      expect.stringMatching(
        /^Needs [45]\.\d GB of memory of the GPU, whose size browsers do not tell; this device has 8\.6 GB or more\.$/,
      ),
    ],
  });
  const onProcessor = { runsOn: "wasm", memory: undefined, disk: undefined } as const;
  expect(fitOf(int4, "int4", 2.8e9, onProcessor)).toEqual({
    refusal: undefined,
    notes: [
      expect.stringMatching(/^Needs [45]\.\d GB of memory\.$/),
      "An experiment: in WebAssembly a token takes about 5 s.",
    ],
  });
});

it("refuses what WebAssembly cannot hold, and what the disk has no room for", () => {
  const large = full(5.6e9);
  expect(fitOf(large, "int4", 0, { runsOn: "webgpu", ...roomy }).refusal).toBeUndefined();
  expect(fitOf(large, "int4", 0, { runsOn: "wasm", ...roomy }).refusal).toMatch(
    /^want weights of at most 3\.8 GB, which is what WebAssembly can hold, got 7\.\d GB$/,
  );
  const small = { runsOn: "webgpu", memory: undefined, disk: 1e9 } as const;
  expect(fitOf(int4, "int4", 2.8e9, small).refusal).toBe(
    "want room for 2.8 GB in this browser, got 1.0 GB; free disk space or remove a level",
  );
  expect(fitOf(int4, "int4", 0, small).refusal).toBeUndefined();
});
