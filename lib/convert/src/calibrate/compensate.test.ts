import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { GraphBuilder } from "@tinygptv/graph";
import { openSession } from "../../../runtime/src/session/runtime.ts";
import { compensate } from "./compensate.ts";

const width = 32;
const wave = (length: number) => Float32Array.from({ length }, (_, i) => Math.sin(i * i));

/** Two layers of these names, each a block. */
function network(names: readonly string[]) {
  const g = new GraphBuilder("network");
  let x = g.input("x", "float32", ["batch", "sequence", width]);
  for (const [i, name] of names.entries()) {
    const load = async () => new Uint8Array(wave(width * width).buffer);
    const weight = g.initializer({ name, dtype: "float32", shape: [width, width], load });
    x = g.at(`${i}`).op("MatMul", [x, weight]);
    if (i === 0) g.endBlock(x);
  }
  g.output("logits", x);
  return g.build();
}

it("rounds every layer, and writes nothing outside its folder, whatever layers are called", async () => {
  const folder = await mkdtemp(join(tmpdir(), "compensate-"));
  try {
    const scratch = join(folder, "scratch");
    const names = ["../outside", "a\0b/../../c"];
    const calibrated = await compensate(
      network(names),
      { layers: { kind: "calibrated", format: { bits: 8, blockSize: 32 } } },
      [{ x: { dtype: "float32", shape: [1, 40, width], data: wave(40 * width) } }],
      { openSession, scratch, output: "logits", onBytes: () => {} },
    );
    expect([...calibrated.keys()]).toEqual(names);
    for (const load of calibrated.values()) {
      const { codes, scales } = await load();
      expect([codes.length, scales.length]).toEqual([width * width, width]);
    }
    expect(await readdir(folder)).toEqual(["scratch"]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
