/** Where to damage a file, and with what. */
export interface MutationHints {
  /** Ranges [start, end) that most mutations go to: headers and directories, where damage does most. */
  readonly hot: readonly (readonly [number, number])[];
  /** Byte strings that mean something in the format. */
  readonly words: readonly Uint8Array[];
}

type Below = (limit: number) => number;

/** A damaged copy of a file: one to three mutations of any kind, `below` deciding on all of them. */
export function mutate(bytes: Uint8Array, hints: MutationHints, below: Below): Uint8Array {
  let result: Buffer = Buffer.from(bytes);
  for (let count = 1 + below(3); count > 0; count--) {
    const at = place(result.length, hints, below);
    result = mutations[below(mutations.length)]!(result, at, hints, below);
  }
  return new Uint8Array(result);
}

type Mutation = (bytes: Buffer, at: number, hints: MutationHints, below: Below) => Buffer;

const mutations: readonly Mutation[] = [
  flipBit,
  setByte,
  setNumber,
  putWord,
  cut,
  remove,
  repeat,
  overwrite,
];

function place(length: number, { hot }: MutationHints, below: Below): number {
  const [start, end] = below(5) === 0 ? [0, length] : hot[below(hot.length)]!;
  return Math.min(start + below(end - start), Math.max(0, length - 1));
}

function flipBit(bytes: Buffer, at: number, _: MutationHints, below: Below): Buffer {
  if (bytes.length > 0) bytes[at]! ^= 1 << below(8);
  return bytes;
}

function setByte(bytes: Buffer, at: number, _: MutationHints, below: Below): Buffer {
  if (bytes.length > 0) bytes[at] = [0, 1, 0x7f, 0x80, 0xff, below(256)][below(6)]!;
  return bytes;
}

/** A number where a length or an offset may be: small, off by a little, or absurd. */
function setNumber(bytes: Buffer, at: number, _: MutationHints, below: Below): Buffer {
  const value = [
    0n,
    1n,
    BigInt(below(bytes.length + 100)),
    2n ** 31n,
    2n ** 32n - 1n,
    2n ** 53n,
    2n ** 64n - 1n,
  ][below(7)]!;
  const number = Buffer.alloc(8);
  number.writeBigUInt64LE(value);
  number.copy(bytes, at, 0, [1, 2, 4, 8][below(4)]);
  return bytes;
}

function putWord(bytes: Buffer, at: number, { words }: MutationHints, below: Below): Buffer {
  const replaced = below(2) * below(8);
  return Buffer.concat([
    bytes.subarray(0, at),
    words[below(words.length)]!,
    bytes.subarray(at + replaced),
  ]);
}

function cut(bytes: Buffer, at: number): Buffer {
  return bytes.subarray(0, at);
}

function remove(bytes: Buffer, at: number, _: MutationHints, below: Below): Buffer {
  return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + below(64))]);
}

function repeat(bytes: Buffer, at: number, _: MutationHints, below: Below): Buffer {
  const piece = bytes.subarray(at, at + 1 + below(200));
  return Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)]);
}

/** A range of the file over another one. */
function overwrite(bytes: Buffer, at: number, hints: MutationHints, below: Below): Buffer {
  const from = place(bytes.length, hints, below);
  Buffer.from(bytes.subarray(from, from + 1 + below(200))).copy(bytes, at);
  return bytes;
}
