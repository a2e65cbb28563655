import { basename } from "node:path";
import { Cursor } from "./cursor.ts";
import { PickleMachine, type PickleLimits, type PickleNames } from "./pickleMachine.ts";
import { opcodes } from "./pickleOpcodes.ts";
import { textOpcodes } from "./pickleTextOpcodes.ts";

const stop = 0x2e;

/** Annotations are millions of small things. */
const limits: PickleLimits = {
  objects: 1 << 23,
  depth: 1 << 8,
  stack: 1 << 23,
  memo: 1 << 24,
  stringBytes: 1 << 20,
};

/** Data names nothing. */
const noNames: PickleNames = {
  globals: new Map(),
  persistent: (_id, error) => {
    throw error("want data alone, got something that stands elsewhere");
  },
};

/**
 * The data in a pickle of any protocol, as annotations are published. As with weights, data is
 * built and nothing is ever looked up or run: dict becomes a Map, list and tuple an array.
 *
 * @param path for messages
 * @throws TinyGptvError "checkpoint": the bytes are no pickle, or one of more than data
 */
export function readPickle(path: string, bytes: Uint8Array): unknown {
  const cursor = new Cursor(basename(path), "pickle", bytes);
  const machine = new PickleMachine(cursor, noNames, limits);
  for (let code = cursor.u8(); code !== stop; code = cursor.u8()) {
    const run = opcodes.get(code) ?? textOpcodes.get(code);
    if (!run) throw cursor.error(`opcode 0x${code.toString(16)} is none that data needs`);
    run(machine);
  }
  return machine.result();
}
