/** Graphs on disk: `NAME.onnx` with its weights beside it in `NAME.onnx.data`. */
import { createHash } from "node:crypto";
import { open, readFile, type FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { byteLength } from "@tinygptv/model";
import { TinyGptvError, throwIfAborted } from "@tinygptv/protocol";
import type { Graph, Initializer } from "./graph.ts";
import { typesOf } from "./types.ts";
import { encodeModel, parseModel, type StoredData } from "./onnx.ts";

/** Smaller initializers stay in the protobuf, where ONNX Runtime's shape inference can see them. */
const inlineLimit = 1024;
/** External tensors start on pages so that ONNX Runtime can map them; large ones on 64 KiB, as ONNX recommends. */
const pageSize = 4096;
const largeAlignment = 65536;
const largeTensor = 1 << 20;

/** A file that was written; its sha256 in hex. */
export interface WrittenFile {
  path: string;
  bytes: number;
  sha256: string;
}

/** What goes with the writing of a graph. */
export interface WriteOptions {
  /** Called with the bytes of each initializer as it is written. */
  onBytes?: (bytes: number) => void;
  signal?: AbortSignal;
}

/**
 * Writes a graph, one initializer in memory at a time. Errors: "layout" where
 * its shapes do not fit, before anything is written.
 * @param path where the `.onnx` file goes; the data file is `${path}.data`
 * @returns both files with their sha256
 */
export async function writeModel(
  path: string,
  graph: Graph,
  { onBytes, signal }: WriteOptions = {},
): Promise<WrittenFile[]> {
  typesOf(graph);
  const dataPath = `${path}.data`;
  const stored = new Map<string, StoredData>();
  const data = await HashingFile.create(dataPath);
  try {
    for (const initializer of graph.initializers.values()) {
      throwIfAborted(signal);
      const bytes = await loadChecked(initializer);
      if (bytes.byteLength < inlineLimit) {
        stored.set(initializer.name, { inline: bytes.slice() });
      } else {
        await data.align(bytes.byteLength >= largeTensor ? largeAlignment : pageSize);
        stored.set(initializer.name, {
          location: basename(dataPath),
          offset: data.size,
          length: bytes.byteLength,
        });
        await data.write(bytes);
      }
      onBytes?.(bytes.byteLength);
    }
  } finally {
    await data.close();
  }
  const model = await HashingFile.create(path);
  try {
    await model.write(encodeModel(graph, stored));
  } finally {
    await model.close();
  }
  return [model.written(), data.written()];
}

/** Reads a graph written by `writeModel`; weights are read when asked for. */
export async function readModel(path: string): Promise<Graph> {
  return parseModel(path, await readFile(path), async (stored) =>
    "inline" in stored ? stored.inline : readRange(join(dirname(path), stored.location), stored),
  );
}

async function loadChecked({ name, dtype, shape, load }: Initializer): Promise<Uint8Array> {
  const bytes = await load();
  const want = byteLength(dtype, shape);
  if (bytes.byteLength !== want)
    throw new TinyGptvError("layout", `${name}: want ${want} bytes, got ${bytes.byteLength}`);
  return bytes;
}

async function readRange(
  path: string,
  { offset, length }: { offset: number; length: number },
): Promise<Uint8Array> {
  const file = await open(path).catch((cause: NodeJS.ErrnoException) => {
    const found = cause.code === "ENOENT" ? "no such file" : cause.message;
    throw new TinyGptvError("model", `${path}: want the weights of a graph, got ${found}`, {
      subject: path,
      cause,
    });
  });
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, offset);
    if (bytesRead !== length)
      throw new TinyGptvError(
        "model",
        `${path}: want ${length} bytes at ${offset}, got ${bytesRead}: the file is cut short`,
      );
    return buffer;
  } finally {
    await file.close();
  }
}

/** A file that knows its own sha256, so that the manifest costs no second read. */
class HashingFile {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #hash = createHash("sha256");
  size = 0;

  private constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
  }

  static async create(path: string): Promise<HashingFile> {
    return new HashingFile(path, await open(path, "w"));
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#hash.update(bytes);
    for (let done = 0; done < bytes.byteLength;) {
      // One write() call moves at most 2 GiB on Linux.
      const { bytesWritten } = await this.#file.write(bytes.subarray(done));
      done += bytesWritten;
    }
    this.size += bytes.byteLength;
  }

  async align(alignment: number): Promise<void> {
    const padding = (alignment - (this.size % alignment)) % alignment;
    if (padding > 0) await this.write(new Uint8Array(padding));
  }

  async close(): Promise<void> {
    await this.#file.sync().finally(() => this.#file.close());
  }

  written(): WrittenFile {
    return { path: this.#path, bytes: this.size, sha256: this.#hash.copy().digest("hex") };
  }
}
