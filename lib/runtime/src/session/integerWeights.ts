import { readFile } from "node:fs/promises";
import type { IntegerWeights } from "@tinygptv/protocol";
import { cutsOffSums } from "./runtime.ts";

/**
 * How this processor multiplies the 8-bit weights of a graph that rounds a layer's
 * whole input to one range; undefined where the graph has none.
 * @param path of its `.onnx` file
 */
export async function integerWeightsOf(path: string): Promise<IntegerWeights | undefined> {
  const hasSome = (await readFile(path)).includes("DynamicQuantizeMatMul");
  if (!hasSome) return undefined;
  return (await cutsOffSums()) ? "unsigned" : "signed";
}
