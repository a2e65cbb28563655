import { isUtf8 } from "node:buffer";
import type { PickleMachine } from "./pickleMachine.ts";
import { describe, Unread } from "./untrusted.ts";

/**
 * What CPython's pickler writes in protocols 2 to 5: data, and objects rebuilt by
 * a call. STOP and PROTO frame them and are not in the table; extension codes,
 * out-of-band buffers and the text opcodes of protocol 0 are refused.
 */
export const opcodes: ReadonlyMap<number, (machine: PickleMachine) => void> = new Map([
  /* FRAME            */ [0x95, requireFrame],

  /* NONE             */ [0x4e, (m) => m.push(null)],
  /* NEWTRUE          */ [0x88, (m) => m.push(true)],
  /* NEWFALSE         */ [0x89, (m) => m.push(false)],
  /* BININT1          */ [0x4b, (m) => m.push(m.cursor.u8())],
  /* BININT2          */ [0x4d, (m) => m.push(m.cursor.u16())],
  /* BININT           */ [0x4a, (m) => m.push(m.cursor.i32())],
  /* LONG1            */ [0x8a, (m) => m.push(toInteger(m.cursor.bytes(m.cursor.u8())))],
  /* LONG4            */ [0x8b, (m) => pushLarge(m, m.cursor.u32())],
  /* BINFLOAT         */ [0x47, (m) => m.push(m.cursor.f64be())],
  /* SHORT_BINUNICODE */ [0x8c, (m) => m.push(m.text(m.cursor.u8()))],
  /* BINUNICODE       */ [0x58, (m) => m.push(m.text(m.cursor.u32()))],
  /* BINUNICODE8      */ [0x8d, (m) => m.push(m.text(m.cursor.u64()))],
  /* SHORT_BINSTRING  */ [0x55, (m) => pushOldString(m, m.cursor.u8())],
  /* BINSTRING        */ [0x54, (m) => pushOldString(m, m.cursor.u32())],
  /* SHORT_BINBYTES   */ [0x43, (m) => skipBytes(m, m.cursor.u8())],
  /* BINBYTES         */ [0x42, (m) => skipBytes(m, m.cursor.u32())],
  /* BINBYTES8        */ [0x8e, (m) => skipBytes(m, m.cursor.u64())],
  /* BYTEARRAY8       */ [0x96, (m) => skipBytes(m, m.cursor.u64())],

  /* MARK             */ [0x28, (m) => m.pushMark()],
  /* EMPTY_TUPLE      */ [0x29, (m) => pushTuple(m, [])],
  /* TUPLE1           */ [0x85, (m) => pushTuple(m, popItems(m, 1))],
  /* TUPLE2           */ [0x86, (m) => pushTuple(m, popItems(m, 2))],
  /* TUPLE3           */ [0x87, (m) => pushTuple(m, popItems(m, 3))],
  /* TUPLE            */ [0x74, (m) => pushTuple(m, m.popMark())],
  /* EMPTY_LIST       */ [0x5d, (m) => m.pushObject([])],
  /* APPEND           */ [0x61, (m) => append(m, popItems(m, 1))],
  /* APPENDS          */ [0x65, (m) => append(m, m.popMark())],
  /* EMPTY_DICT       */ [0x7d, (m) => m.pushObject(new Map())],
  /* SETITEM          */ [0x73, (m) => setItems(m, popItems(m, 2))],
  /* SETITEMS         */ [0x75, (m) => setItems(m, m.popMark())],
  /* EMPTY_SET        */ [0x8f, (m) => m.push(someSet)],
  /* ADDITEMS         */ [0x90, addItems],
  /* FROZENSET        */ [0x91, pushFrozenSet],
  /* POP              */ [0x30, (m) => void m.pop()],
  /* POP_MARK         */ [0x31, (m) => void m.popMark()],

  /* BINPUT           */ [0x71, (m) => m.remember(m.cursor.u8())],
  /* LONG_BINPUT      */ [0x72, (m) => m.remember(m.cursor.u32())],
  /* MEMOIZE          */ [0x94, (m) => m.rememberNext()],
  /* BINGET           */ [0x68, (m) => m.recall(m.cursor.u8())],
  /* LONG_BINGET      */ [0x6a, (m) => m.recall(m.cursor.u32())],

  /* GLOBAL           */ [0x63, (m) => m.pushGlobal(m.cursor.line(), m.cursor.line())],
  /* STACK_GLOBAL     */ [0x93, pushStackGlobal],
  /* REDUCE           */ [0x52, (m) => m.call()],
  /* NEWOBJ           */ [0x81, (m) => m.call()],
  /* NEWOBJ_EX        */ [0x92, callWithNames],
  /* BUILD            */ [0x62, build],
  /* BINPERSID        */ [0x51, (m) => m.pushPersistent()],
]);

const maxIntegerBytes = 1 << 10;
const maxOldStringBytes = 1 << 16;

const someBytes = new Unread("bytes");
const someInteger = new Unread("int");
const someSet = new Unread("set");

/** Frames only help readers to buffer; the length is checked and otherwise without effect. */
function requireFrame(machine: PickleMachine): void {
  const length = machine.cursor.u64();
  const { remaining } = machine.cursor;
  if (length > remaining)
    throw machine.cursor.error(`cut short: want a frame of ${length} bytes, got ${remaining}`);
}

/** Little-endian two's complement. */
function toInteger(bytes: Uint8Array): number | bigint {
  const digits = Buffer.from(bytes.toReversed()).toString("hex");
  const value = BigInt.asIntN(8 * bytes.length, BigInt(`0x${digits || "0"}`));
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function popItems(machine: PickleMachine, count: number): unknown[] {
  return Array.from({ length: count }, () => machine.pop()).toReversed();
}

/** Frozen, which tells tuples from lists. */
function pushTuple(machine: PickleMachine, items: unknown[]): void {
  machine.pushObject(Object.freeze(items));
}

function append(machine: PickleMachine, items: readonly unknown[]): void {
  const list = machine.top();
  if (list instanceof Unread) return;
  if (!Array.isArray(list) || Object.isFrozen(list))
    throw machine.cursor.error("want a list to append to");
  for (const item of items) list.push(item);
}

/** `items` are keys and values in turn. */
export function setItems(machine: PickleMachine, items: readonly unknown[]): void {
  const dict = machine.top();
  if (dict instanceof Unread) return;
  if (!(dict instanceof Map)) throw machine.cursor.error("want a dict to put items into");
  if (items.length % 2 !== 0) throw machine.cursor.error("want a value for every key");
  for (let i = 0; i < items.length; i += 2) {
    // One stands for many: dates or enum members as keys.
    if (items[i] instanceof Unread) continue;
    if (dict.has(items[i])) throw machine.cursor.error(`key ${describe(items[i])} occurs twice`);
    dict.set(items[i], items[i + 1]);
  }
}

function pushStackGlobal(machine: PickleMachine): void {
  const [module, name] = popItems(machine, 2);
  if (typeof module !== "string" || typeof name !== "string")
    throw machine.cursor.error("want a name of strings");
  machine.pushGlobal(module, name);
}

function addItems(machine: PickleMachine): void {
  machine.popMark();
  if (!(machine.top() instanceof Unread)) throw machine.cursor.error("want a set to add items to");
}

/** Beyond what any size or offset is, nobody looks at an integer. */
function pushLarge(machine: PickleMachine, length: number): void {
  const bytes = machine.cursor.bytes(length);
  machine.push(length > maxIntegerBytes ? someInteger : toInteger(bytes));
}

function pushFrozenSet(machine: PickleMachine): void {
  machine.popMark();
  machine.push(someSet);
}

/** A call with keyword arguments: only of what is not read. */
function callWithNames(machine: PickleMachine): void {
  machine.pop();
  machine.call();
}

function skipBytes(machine: PickleMachine, length: number): void {
  machine.cursor.bytes(length);
  machine.push(someBytes);
}

/** What Python 2 called a string: text, as names of weights are, or any bytes. */
function pushOldString(machine: PickleMachine, length: number): void {
  const bytes = machine.cursor.bytes(length);
  const isText = length <= maxOldStringBytes && isUtf8(bytes);
  machine.push(isText ? Buffer.from(bytes).toString() : someBytes);
}

/** Sets attributes. Weights have them only on an OrderedDict (a module's `_metadata`), where nothing reads them. */
function build(machine: PickleMachine): void {
  machine.pop();
  const object = machine.top();
  if (!(object instanceof Map || object instanceof Unread))
    throw machine.cursor.error("want a dict to set attributes of");
}
