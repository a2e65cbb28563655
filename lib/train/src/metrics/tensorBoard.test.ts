import protobuf from "protobufjs";
import { expect, test } from "vitest";
import { crc32c } from "./crc32c.ts";
import { eventFileName, firstRecords, scalarRecord } from "./tensorBoard.ts";

test.each([
  // RFC 3720, appendix B.4.
  [new Uint8Array(32), 0x8a9136aa],
  [new Uint8Array(32).fill(0xff), 0x62a8ab43],
  [Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
  [Buffer.from("123456789"), 0xe3069283],
])("the checksum of %s", (bytes, checksum) => {
  expect(crc32c(bytes)).toBe(checksum);
});

/** As TensorFlow declares them; only the fields that are used. */
const { root } = protobuf.parse(`
  syntax = "proto3";
  message Event {
    double wall_time = 1;
    int64 step = 2;
    oneof what { string file_version = 3; Summary summary = 5; SessionLog session_log = 7; }
  }
  message SessionLog {
    enum SessionStatus { STATUS_UNSPECIFIED = 0; START = 1; STOP = 2; CHECKPOINT = 3; }
    SessionStatus status = 1;
  }
  message Summary {
    message Value { string tag = 1; oneof value { float simple_value = 2; } }
    repeated Value value = 1;
  }
`);
const Event = root.lookupType("Event");

/** Reads records as TensorFlow does, both checksums included. */
function eventsOf(bytes: Uint8Array): unknown[] {
  const buffer = Buffer.from(bytes);
  const events: unknown[] = [];
  for (let at = 0; at < buffer.length;) {
    const length = Number(buffer.readBigUInt64LE(at));
    expect(buffer.readUInt32LE(at + 8)).toBe(mask(crc32c(buffer.subarray(at, at + 8))));
    const data = buffer.subarray(at + 12, at + 12 + length);
    expect(buffer.readUInt32LE(at + 12 + length)).toBe(mask(crc32c(data)));
    events.push(Event.toObject(Event.decode(data), { longs: Number, enums: String }));
    at += 16 + length;
  }
  return events;
}

/** As big integers, the other way than the code does it. */
function mask(crc: number): number {
  const wide = BigInt(crc);
  return Number((((wide >> 15n) | (wide << 17n)) + 0xa282ead8n) & 0xffffffffn);
}

test("a file begins with its version and with the step it goes on from", () => {
  expect(eventsOf(firstRecords(400, 1.75e9))).toEqual([
    { wallTime: 1.75e9, fileVersion: "brain.Event:2" },
    { wallTime: 1.75e9, step: 400, sessionLog: { status: "START" } },
  ]);
});

test("figures of a step are scalars by tag", () => {
  const scalars = { "train/loss": 2.5, "train/lr": 0.0001 };
  expect(eventsOf(scalarRecord({ step: 70_000, time: 12.5, scalars }))).toEqual([
    {
      wallTime: 12.5,
      step: 70_000,
      summary: {
        value: [
          { tag: "train/loss", simpleValue: 2.5 },
          { tag: "train/lr", simpleValue: Math.fround(0.0001) },
        ],
      },
    },
  ]);
});

test("a file is named as TensorBoard looks for it", () => {
  expect(eventFileName(1_750_000_000.9, "host", 12)).toBe("events.out.tfevents.1750000000.host.12");
});
