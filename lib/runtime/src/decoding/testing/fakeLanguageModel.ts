import type { ForwardLogits, ForwardRow, LanguageModel, Sequence } from "../sequence.ts";

/** Logits as a function of everything before, for tests. */
export type LogitsOf = (history: readonly number[]) => Float32Array;

/**
 * A language model for tests whose logits depend on the whole content of a
 * sequence and on nothing else, so that a sequence that holds the wrong thing
 * shows in the answer. It keeps the strictest reading of the interface: logits
 * are overwritten by the next forward, released sequences cannot be used.
 */
export interface FakeLanguageModel extends LanguageModel {
  /** Sequences not released yet. */
  readonly live: number;
  /** Number of rows of every forward so far. */
  readonly batches: readonly number[];
  /** What a sequence holds; an embedding shows as its first number. */
  content(sequence: Sequence): readonly number[];
}

export function fakeLanguageModel({
  vocabularySize = 11,
  contextLength = 64,
  logitsOf = hashedLogits(vocabularySize),
}: {
  vocabularySize?: number;
  contextLength?: number;
  logitsOf?: LogitsOf;
} = {}): FakeLanguageModel {
  const contents = new Map<number, number[]>();
  const batches: number[] = [];
  let lastLogits: Float32Array[] = [];
  let nextId = 0;

  const at = ({ id }: Sequence): number[] => {
    const content = contents.get(id);
    if (!content) throw new Error(`sequence ${id} was released`);
    return content;
  };
  const add = (content: number[]): Sequence => {
    const id = nextId++;
    contents.set(id, content);
    return {
      id,
      get length() {
        return at(this).length;
      },
    };
  };
  const run = ({ sequence, input, logits }: ForwardRow): Float32Array => {
    const content = at(sequence);
    const added = "tokens" in input ? input.tokens : [...input.embeds];
    if (added.length === 0) throw new Error("a row without input");
    const rows = added.map((entry) => {
      content.push(entry);
      if (content.length > contextLength) throw new Error("beyond the context");
      return logitsOf(content);
    });
    const wanted = logits === "all" ? rows : rows.slice(-1);
    return Float32Array.from(wanted.flatMap((row) => Array.from(row)));
  };

  return {
    vocabularySize,
    contextLength,
    width: 1,
    batches,
    get live() {
      return contents.size;
    },
    content: at,
    bytesFor: (positions) => positions,
    create: () => add([]),
    fork: (parent) => add([...at(parent)]),
    reorder: (sequences, parents) => {
      const before = sequences.map((sequence) => [...at(sequence)]);
      sequences.forEach(({ id }, i) => {
        contents.set(id, [...before[parents[i]!]!]);
      });
    },
    truncate: (sequence, length) => void at(sequence).splice(length),
    release: (sequence) => {
      at(sequence);
      contents.delete(sequence.id);
    },
    forward: (rows: readonly ForwardRow[]): Promise<ForwardLogits> => {
      for (const logits of lastLogits) logits.fill(Number.NaN);
      batches.push(rows.length);
      lastLogits = rows.map(run);
      return Promise.resolve(lastLogits);
    },
  };
}

/** Pseudo-random logits in [-spread, spread), different for every history, practically without ties. */
export function hashedLogits(vocabularySize: number, spread = 3): LogitsOf {
  return (history) => {
    const state = history.reduce((hash, entry) => mix(hash ^ mix(entry * 4 + 1)), 0x811c9dc5);
    return Float32Array.from(
      { length: vocabularySize },
      (_, id) => (mix(state ^ mix(id + 0x5bd1e995)) / 2 ** 31 - 1) * spread,
    );
  };
}

/** A 32-bit finalizer: every input bit changes about half of the output bits. */
function mix(value: number): number {
  let x = value | 0;
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
  return (x ^ (x >>> 15)) >>> 0;
}
