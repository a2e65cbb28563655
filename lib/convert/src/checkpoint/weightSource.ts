import type { DType } from "@tinygptv/model";
import { damaged, quote } from "./untrusted.ts";

/** What a checkpoint says of one tensor before any of its bytes are read. */
export interface TensorInfo {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** The file that holds its bytes (of a sharded folder, the shard), for messages. */
  readonly file: string;
}

/** First-axis rows [start, end) of a tensor. */
export interface RowRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Named tensors of one checkpoint, whatever its container. Opening reads only
 * the directory of the file; bytes come by positional reads when asked for.
 */
export interface WeightSource {
  /** Path as given by the caller, for messages. */
  readonly path: string;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** What stands among the tensors without being one, by name: an error only where a weight is wanted. */
  readonly unread?: ReadonlyMap<string, string>;
  /**
   * Dense, row-major, little-endian bytes of a tensor, in its own dtype.
   * `rows` reads only first-axis rows [start, end), for tensors that are too large to hold.
   */
  read(name: string, rows?: RowRange): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** The tensor of that name; a `checkpoint` error if there is none. */
export function requireTensor<T extends TensorInfo>(
  path: string,
  tensors: ReadonlyMap<string, T>,
  name: string,
): T {
  const info = tensors.get(name);
  if (!info) throw damaged(path, `no tensor ${quote(name)} among its ${tensors.size}`);
  return info;
}

/** The rows asked for, all of them by default; a `checkpoint` error if the tensor has no such rows. */
export function requireRows(info: TensorInfo, rows: RowRange): RowRange {
  const count = info.shape[0];
  const { start, end } = rows;
  const valid =
    count !== undefined &&
    Number.isInteger(start) &&
    Number.isInteger(end) &&
    0 <= start &&
    start <= end &&
    end <= count;
  if (!valid) {
    throw damaged(
      info.file,
      `tensor ${quote(info.name)}: want rows within its shape [${info.shape}], got [${start}, ${end})`,
    );
  }
  return rows;
}
