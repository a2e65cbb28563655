import { byteLength, type DType } from "@tinygptv/model";
import type { TensorInput } from "./chunks.ts";
import { sized } from "./chunks.ts";

/** The bytes of a safetensors file, piece by piece: one far larger than memory is fine. */
export async function* safetensorsFile(
  tensors: Iterable<readonly [string, TensorInput]>,
): AsyncGenerator<Uint8Array> {
  const inputs = [...tensors];
  const header: Record<string, unknown> = { __metadata__: { format: "pt" } };
  let end = 0;
  for (const [name, { dtype, shape }] of inputs) {
    const begin = end;
    end += byteLength(dtype, shape);
    header[name] = { dtype: tags[dtype], shape, data_offsets: [begin, end] };
  }
  yield safetensorsHeader(JSON.stringify(header));
  for (const [name, { dtype, shape, data }] of inputs) {
    yield* sized(name, byteLength(dtype, shape), typeof data === "function" ? data() : [data]);
  }
}

/** Length and text of a header, whatever the text; padded with spaces to whole words. */
export function safetensorsHeader(json: string | Uint8Array): Uint8Array {
  const text = Buffer.from(json);
  const header = Buffer.alloc(8 + Math.ceil(text.length / 8) * 8, " ");
  header.writeBigUInt64LE(BigInt(header.length - 8));
  header.set(text, 8);
  return header;
}

const tags: Record<DType, string> = {
  float64: "F64",
  float32: "F32",
  float16: "F16",
  bfloat16: "BF16",
  int64: "I64",
  int32: "I32",
  int16: "I16",
  int8: "I8",
  uint8: "U8",
  bool: "BOOL",
};
