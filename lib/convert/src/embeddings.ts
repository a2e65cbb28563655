import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import type { WriteOptions } from "@tinygptv/graph/disk";
import { toFloat16 } from "@tinygptv/model";
import { throwIfAborted } from "@tinygptv/protocol";
import { asBytes } from "@tinygptv/network";
import type { StoredWeight } from "./catalog.ts";
import type { FolderWriter } from "./modelFolder.ts";

/** Rows converted at a time. */
const chunkRows = 1024;

/** Half-precision sources stay half (nothing is lost), others become float32. */
export const embeddingsDtype = ({ dtype }: StoredWeight): "float16" | "float32" =>
  dtype === "float16" ? "float16" : "float32";

/** Writes the token embeddings as plain rows, which the runtime looks up one by one. */
export async function writeEmbeddings(
  folder: FolderWriter,
  name: string,
  embedding: StoredWeight,
  { onBytes, signal }: WriteOptions,
): Promise<"float16" | "float32"> {
  const dtype = embeddingsDtype(embedding);
  const rows = embedding.shape[0]!;
  const path = await folder.path(name);
  const hash = createHash("sha256");
  let size = 0;
  const file = await open(path, "w");
  try {
    for (let start = 0; start < rows; start += chunkRows) {
      throwIfAborted(signal);
      const values = await embedding.loadRows(start, Math.min(start + chunkRows, rows));
      const halves = dtype === "float16" ? toFloat16(values) : undefined;
      const bytes = halves ? new Uint8Array(halves.buffer) : asBytes(values);
      await file.writeFile(bytes);
      hash.update(bytes);
      size += bytes.byteLength;
      onBytes?.(bytes.byteLength);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  folder.add([{ path, bytes: size, sha256: hash.digest("hex") }]);
  return dtype;
}
