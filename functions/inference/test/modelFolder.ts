import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { formatVersion, manifestName } from "@tinygptv/model";
import type { Manifest } from "@tinygptv/model";

const norm = 1e-6;
const config: Manifest["config"] = {
  vision: {
    imageSize: 28,
    patchSize: 14,
    width: 8,
    depth: 1,
    numHeads: 1,
    mlpWidth: 8,
    normEps: norm,
    finalNormEps: norm,
  },
  qformer: {
    width: 8,
    numLayers: 1,
    numHeads: 1,
    mlpWidth: 8,
    crossAttentionFrequency: 1,
    numQueryTokens: 1,
    layerNormEps: norm,
  },
  mapping: { width: 8 },
  phi: {
    width: 8,
    numLayers: 1,
    numHeads: 1,
    headDim: 8,
    rotaryDim: 4,
    ropeTheta: 10_000,
    mlpWidth: 8,
    vocabSize: 16,
    layerNormEps: norm,
    postNormEps: norm,
    contextLength: 64,
  },
  tokens: { endOfText: 0, stop: 1 },
};

/** Writes a converted model folder that has a true manifest and any bytes for graphs. */
export async function writeModelFolder(
  folder: string,
  name: string,
  files: Record<string, Buffer>,
): Promise<void> {
  for (const [path, bytes] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), bytes);
  }
  const manifest: Manifest = {
    formatVersion,
    name,
    weights: "random",
    createdBy: "test",
    config,
    embeddings: { file: "embeddings.bin", dtype: "float32" },
    tokenizer: "tokenizer",
    defaultLevel: "fp32",
    levels: { fp32: { vision: "v.onnx", qformer: "q.onnx", mapping: "m.onnx", phi: "phi.onnx" } },
    files: Object.entries(files).map(([path, bytes]) => ({
      path,
      bytes: bytes.byteLength,
      sha256: createHash("sha256").update(bytes).digest("hex"),
    })),
    sources: [],
  };
  await writeFile(join(folder, manifestName), JSON.stringify(manifest, undefined, 2));
}
