/** A value as Python would hold it, for `pickle`. Integral numbers are int, others float; arrays are lists, Maps dicts. */
export type PythonValue =
  | null
  | boolean
  | number
  | string
  | readonly PythonValue[]
  | ReadonlyMap<PythonValue, PythonValue>
  | PythonFloat
  | PythonTuple
  | PythonGlobal
  | PythonCall
  | PersistentId;

/** A float that may be integral. */
export class PythonFloat {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

/** A tuple of Python, which is no list there. */
export class PythonTuple {
  readonly items: readonly PythonValue[];
  constructor(...items: readonly PythonValue[]) {
    this.items = items;
  }
}

/** A class or function, by its name. */
export class PythonGlobal {
  readonly module: string;
  readonly name: string;
  constructor(module: string, name: string) {
    this.module = module;
    this.name = name;
  }
}

/** An object rebuilt by a call; then given dictionary items and attributes, where there are any. */
export class PythonCall {
  readonly callee: PythonGlobal;
  readonly args: PythonTuple;
  readonly items: ReadonlyMap<PythonValue, PythonValue>;
  readonly attributes: ReadonlyMap<PythonValue, PythonValue> | undefined;
  constructor(
    callee: PythonGlobal,
    args: PythonTuple,
    items: ReadonlyMap<PythonValue, PythonValue> = new Map(),
    attributes?: ReadonlyMap<PythonValue, PythonValue>,
  ) {
    this.callee = callee;
    this.args = args;
    this.items = items;
    this.attributes = attributes;
  }
}

/** An object that is kept outside the pickle. */
export class PersistentId {
  readonly id: PythonTuple;
  constructor(id: PythonTuple) {
    this.id = id;
  }
}

/** An OrderedDict, as a module's state dict is one; `attributes` are such as its `_metadata`. */
export function orderedDict(
  items: ReadonlyMap<PythonValue, PythonValue>,
  attributes?: ReadonlyMap<PythonValue, PythonValue>,
): PythonCall {
  return new PythonCall(orderedDictClass, new PythonTuple(), items, attributes);
}

const orderedDictClass = new PythonGlobal("collections", "OrderedDict");

/** A pickle as CPython's pickler writes it in protocol 2 (torch.save's default) or 4. */
export function pickle(value: PythonValue, protocol: 2 | 4 = 2): Uint8Array {
  const writer = new PickleWriter(protocol);
  writer.write(value);
  const body = Buffer.concat([...writer.pieces, Buffer.from(".")]);
  if (protocol === 2) return Uint8Array.from([0x80, 2, ...body]);
  const frame = Buffer.alloc(11);
  frame.set([0x80, 4, 0x95]);
  frame.writeBigUInt64LE(BigInt(body.length), 3);
  return new Uint8Array(Buffer.concat([frame, body]));
}

class PickleWriter {
  readonly pieces: Buffer[] = [];
  readonly #protocol: 2 | 4;
  /** Index by which a value can be fetched again: strings by content, objects by identity. */
  readonly #memo = new Map<unknown, number>();

  constructor(protocol: 2 | 4) {
    this.#protocol = protocol;
  }

  write(value: PythonValue): void {
    const index = this.#memo.get(value);
    if (index !== undefined) this.#emit(index < 256 ? [0x68, index] : [0x6a, ...u32(index)]);
    else if (value === null) this.#emit("N");
    else if (typeof value === "boolean") this.#emit([value ? 0x88 : 0x89]);
    else if (typeof value === "number") this.#number(value);
    else if (value instanceof PythonFloat) this.#float(value.value);
    else if (typeof value === "string") this.#string(value);
    else if (value instanceof PythonTuple) this.#tuple(value);
    else if (value instanceof PythonGlobal) this.#global(value);
    else if (value instanceof PythonCall) this.#call(value);
    else if (value instanceof PersistentId) {
      this.write(value.id);
      this.#emit("Q");
    } else if (value instanceof Map) {
      this.#emit("}");
      this.#remember(value);
      this.#items(value);
    } else {
      this.#emit("]");
      this.#remember(value);
      this.#marked(value as readonly PythonValue[], "e");
    }
  }

  #number(value: number): void {
    if (!Number.isInteger(value)) this.#float(value);
    else if (value >= 0 && value < 1 << 8) this.#emit([0x4b, value]);
    else if (value >= 0 && value < 1 << 16) this.#emit([0x4d, value & 255, value >> 8]);
    else if (value === (value | 0)) this.#emit([0x4a, ...u32(value)]);
    else {
      const piece = Buffer.from([0x8a, 8, 0, 0, 0, 0, 0, 0, 0, 0]);
      piece.writeBigInt64LE(BigInt(value), 2);
      this.#emit(piece);
    }
  }

  #float(value: number): void {
    const piece = Buffer.alloc(9, "G");
    piece.writeDoubleBE(value, 1);
    this.#emit(piece);
  }

  #string(value: string): void {
    const bytes = Buffer.from(value);
    const isShort = this.#protocol === 4 && bytes.length < 256;
    this.#emit(isShort ? [0x8c, bytes.length] : [0x58, ...u32(bytes.length)]);
    this.#emit(bytes);
    this.#remember(value);
  }

  #tuple(value: PythonTuple): void {
    const { items } = value;
    const opcode = [0x29, 0x85, 0x86, 0x87][items.length];
    if (opcode === undefined) this.#emit("(");
    for (const item of items) this.write(item);
    this.#emit(opcode === undefined ? "t" : [opcode]);
    if (items.length > 0) this.#remember(value);
  }

  #global(value: PythonGlobal): void {
    if (this.#protocol === 2) {
      this.#emit(`c${value.module}\n${value.name}\n`);
    } else {
      this.write(value.module);
      this.write(value.name);
      this.#emit([0x93]);
    }
    this.#remember(value);
  }

  #call(value: PythonCall): void {
    this.write(value.callee);
    this.write(value.args);
    this.#emit("R");
    this.#remember(value);
    this.#items(value.items);
    if (value.attributes) {
      this.write(value.attributes);
      this.#emit("b");
    }
  }

  #items(items: ReadonlyMap<PythonValue, PythonValue>): void {
    this.#marked([...items].flat<PythonValue[]>(), "u");
  }

  #marked(values: readonly PythonValue[], opcode: string): void {
    if (values.length === 0) return;
    this.#emit("(");
    for (const value of values) this.write(value);
    this.#emit(opcode);
  }

  #remember(value: unknown): void {
    const index = this.#memo.size;
    this.#memo.set(value, index);
    if (this.#protocol === 4) this.#emit([0x94]);
    else this.#emit(index < 256 ? [0x71, index] : [0x72, ...u32(index)]);
  }

  #emit(piece: string | readonly number[] | Buffer): void {
    this.pieces.push(typeof piece === "string" ? Buffer.from(piece, "latin1") : Buffer.from(piece));
  }
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}
