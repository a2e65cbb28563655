import type { DType } from "../tensor/dtype.ts";

/** What a checkpoint says of one tensor before any of its bytes are read. */
export interface TensorInfo {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** The file that holds its bytes (of a sharded folder, the shard), for messages. */
  readonly file: string;
}

/**
 * Named tensors of one checkpoint, whatever its container. Opening reads only
 * the directory of the file; bytes come by positional reads when asked for.
 */
export interface WeightSource {
  /** Path as given by the caller, for messages. */
  readonly path: string;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /**
   * Dense, row-major, little-endian bytes of a tensor, in its own dtype.
   * `rows` reads only first-axis rows [start, end), for tensors that are too large to hold.
   */
  read(name: string, rows?: { start: number; end: number }): Promise<Uint8Array>;
  close(): Promise<void>;
}
