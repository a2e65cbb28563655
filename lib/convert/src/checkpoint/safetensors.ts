import { bytesPerElement } from "@tinygptv/model";
import type { DType } from "@tinygptv/model";
import type { ByteSource } from "./byteSource.ts";
import { openWith } from "./byteSource.ts";
import { damaged, describe, isCounts, quote } from "./untrusted.ts";
import { parseStrictJson, requireObject } from "./strictJson.ts";
import type { TensorInfo, WeightSource } from "./weightSource.ts";
import { requireRows, requireTensor } from "./weightSource.ts";

// The format allows 100 MB; a 12 GB model needs 0.1 MB, and parsing takes many times that memory.
const maxHeaderBytes = 4 << 20;

const dtypes: ReadonlyMap<unknown, DType> = new Map([
  ["F64", "float64"],
  ["F32", "float32"],
  ["F16", "float16"],
  ["BF16", "bfloat16"],
  ["I64", "int64"],
  ["I32", "int32"],
  ["I16", "int16"],
  ["I8", "int8"],
  ["U8", "uint8"],
  ["BOOL", "bool"],
]);

interface StoredTensor extends TensorInfo {
  /** Of its first byte in the file. */
  readonly offset: number;
  readonly length: number;
}

/** A `.safetensors` file. Its whole header is checked before any tensor can be read. */
export function openSafetensors(path: string): Promise<WeightSource> {
  return openWith(path, readSafetensors);
}

/**
 * The tensors of an open safetensors file (github.com/huggingface/safetensors,
 * "Format"): eight bytes of header length, a JSON header, then the tensors,
 * without gaps or overlaps. Closing it closes `source`.
 */
export async function readSafetensors(source: ByteSource): Promise<WeightSource> {
  const file = source.name;
  const headerLength = await readHeaderLength(source);
  const dataStart = 8 + headerLength;
  const header = requireObject(
    file,
    "header",
    parseStrictJson(file, "header", await source.read(8, headerLength)),
  );
  const tensors = new Map<string, StoredTensor>();
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") requireMetadata(file, entry);
    else tensors.set(name, readEntry(file, name, entry, dataStart));
  }
  requireNoGaps(file, [...tensors.values()], dataStart, source.size);

  return {
    path: file,
    tensors,
    async read(name, rows) {
      const tensor = requireTensor(file, tensors, name);
      if (!rows) return source.read(tensor.offset, tensor.length);
      const { start, end } = requireRows(tensor, rows);
      const rowBytes = start === end ? 0 : tensor.length / tensor.shape[0]!;
      return source.read(tensor.offset + start * rowBytes, (end - start) * rowBytes);
    },
    close: () => source.close(),
  };
}

async function readHeaderLength(source: ByteSource): Promise<number> {
  if (source.size < 8)
    throw damaged(source.name, `want a safetensors file of 8 bytes or more, got ${source.size}`);
  const prefix = await source.read(0, 8);
  const length = Number(new DataView(prefix.buffer).getBigUint64(0, true));
  const most = Math.min(source.size - 8, maxHeaderBytes);
  if (length > most)
    throw damaged(source.name, `header: want at most ${most} bytes, got ${length}`);
  return length;
}

function requireMetadata(file: string, entry: unknown): void {
  for (const [key, value] of Object.entries(requireObject(file, "__metadata__", entry))) {
    if (typeof value !== "string") {
      throw damaged(file, `__metadata__: ${quote(key)}: want a string, got ${describe(value)}`);
    }
  }
}

function readEntry(file: string, name: string, entry: unknown, dataStart: number): StoredTensor {
  const what = `tensor ${quote(name)}`;
  const { dtype: tag, shape, data_offsets: offsets, ...rest } = requireObject(file, what, entry);
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) throw damaged(file, `${what}: unknown field ${quote(unknown)}`);

  const dtype = dtypes.get(tag);
  if (!dtype)
    throw damaged(
      file,
      `${what}: dtype: want one of ${[...dtypes.keys()].join(", ")}, got ${describe(tag)}`,
    );
  if (!isCounts(shape))
    throw damaged(file, `${what}: shape: want a list of sizes, got ${describe(shape)}`);
  if (!isCounts(offsets) || offsets.length !== 2 || offsets[0]! > offsets[1]!) {
    throw damaged(file, `${what}: data_offsets: want [begin, end], got ${describe(offsets)}`);
  }

  const [begin, end] = offsets as [number, number];
  const length = shape.reduce((product, size) => product * size, bytesPerElement[dtype]);
  if (length !== end - begin) {
    throw damaged(
      file,
      `${what}: want ${length} bytes for ${dtype} [${shape}], got ${end - begin}`,
    );
  }
  return { name, dtype, shape, file, offset: dataStart + begin, length };
}

/** In order of their bytes, each tensor begins where the one before it ends, and the last ends with the file. */
function requireNoGaps(
  file: string,
  tensors: StoredTensor[],
  dataStart: number,
  size: number,
): void {
  tensors.sort((a, b) => a.offset - b.offset || a.length - b.length);
  let position = dataStart;
  for (const { name, offset, length } of tensors) {
    if (offset !== position) {
      throw damaged(
        file,
        `tensor ${quote(name)}: ${offset < position ? "overlaps another" : "leaves a gap"}: ` +
          `want it to begin at byte ${position}, got ${offset}`,
      );
    }
    position += length;
  }
  if (position !== size)
    throw damaged(file, `want a file of ${position} bytes, as its header says, got ${size}`);
}
