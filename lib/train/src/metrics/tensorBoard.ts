/**
 * Event files as TensorBoard reads them: records of TensorFlow (length, its checksum,
 * bytes, their checksum), each an `Event` in protobuf (tensorflow/core/util/event.proto,
 * framework/summary.proto; the numbers are those of their fields).
 */
import protobuf from "protobufjs/minimal.js";
import { crc32c } from "./crc32c.ts";

/** Figures of one step by tag, such as `train/loss`. */
export interface ScalarEvent {
  readonly step: number;
  /** Seconds since 1970. */
  readonly time: number;
  readonly scalars: Readonly<Record<string, number>>;
}

/** What a file begins with: its version, and from which step on it takes the place of older files. */
export function firstRecords(step: number, time: number): Uint8Array {
  const version = protobuf.Writer.create()
    .uint32(9)
    .double(time)
    .uint32(26)
    .string("brain.Event:2");
  // SessionLog with status START.
  const start = protobuf.Writer.create().uint32(9).double(time).uint32(16).int64(step);
  start.uint32(58).fork().uint32(8).int32(1).ldelim();
  return Buffer.concat([record(version.finish()), record(start.finish())]);
}

export function scalarRecord({ step, time, scalars }: ScalarEvent): Uint8Array {
  const event = protobuf.Writer.create().uint32(9).double(time).uint32(16).int64(step);
  event.uint32(42).fork();
  for (const [tag, value] of Object.entries(scalars))
    event.uint32(10).fork().uint32(10).string(tag).uint32(21).float(value).ldelim();
  return record(event.ldelim().finish());
}

/** `events.out.tfevents.SECONDS.HOST.PROCESS`: TensorBoard takes what has this beginning, in this order. */
export function eventFileName(time: number, host: string, pid: number): string {
  return `events.out.tfevents.${String(Math.floor(time)).padStart(10, "0")}.${host}.${pid}`;
}

function record(data: Uint8Array): Uint8Array {
  const head = Buffer.alloc(12);
  head.writeBigUInt64LE(BigInt(data.length));
  head.writeUInt32LE(masked(crc32c(head.subarray(0, 8))), 8);
  const foot = Buffer.alloc(4);
  foot.writeUInt32LE(masked(crc32c(data)));
  return Buffer.concat([head, data, foot]);
}

/** Checksums are turned and shifted, since a record may hold checksums itself. */
const masked = (crc: number) => (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
