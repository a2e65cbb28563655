import { Cursor } from "./cursor.ts";
import type { PickleNames } from "./pickleMachine.ts";
import { PickleMachine } from "./pickleMachine.ts";
import { opcodes } from "./pickleOpcodes.ts";

const proto = 0x80;
const stop = 0x2e;

/**
 * The data in a pickle of protocol 2 to 5, as torch.save writes it (opcodes:
 * CPython's Lib/pickletools.py). A closed table of opcodes and names: data is
 * built, nothing is ever looked up or run.
 *
 * None, bool, str and float become their counterparts, int a number (a bigint
 * beyond 2^53), dict a Map, list an array, tuple a frozen array, and what weights
 * are not made of `Unread`.
 *
 * @param file for messages, as is `what`, the part of it the bytes are
 */
export function unpickle(
  file: string,
  what: string,
  bytes: Uint8Array,
  names: PickleNames,
): unknown {
  const cursor = new Cursor(file, what, bytes);
  const value = unpickleNext(cursor, names);
  if (cursor.remaining > 0)
    throw cursor.error(`want nothing after the pickle, got ${cursor.remaining} bytes`);
  return value;
}

/** The same for one pickle among other bytes; the cursor is left behind it. */
export function unpickleNext(cursor: Cursor, names: PickleNames): unknown {
  if (cursor.u8() !== proto) throw cursor.error("want a pickle of protocol 2 or later");
  const protocol = cursor.u8();
  if (protocol < 2 || protocol > 5) throw cursor.error(`want protocol 2 to 5, got ${protocol}`);

  const machine = new PickleMachine(cursor, names);
  for (let code = cursor.u8(); code !== stop; code = cursor.u8()) {
    const run = opcodes.get(code);
    if (!run)
      throw cursor.error(
        `opcode 0x${code.toString(16)} is none that torch.save writes for weights`,
      );
    run(machine);
  }
  return machine.result();
}
