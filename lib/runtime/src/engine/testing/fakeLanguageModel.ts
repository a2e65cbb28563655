import type { ForwardRow, LanguageModel, Sequence } from "../../decoding/sequence.ts";

export interface FakeLanguageModel extends LanguageModel {
  /** Every forward so far: for each row its sequence, its positions and where logits were asked for. */
  readonly forwards: { sequence: number; positions: number; logits: ForwardRow["logits"] }[][];
  /** Sequences created or forked and not yet released. */
  readonly open: Set<number>;
}

/**
 * A language model for tests without weights: logits are a hash of everything
 * the sequence holds, so they differ wherever a position is lost, doubled or
 * mixed up with a neighbour's. `onForward` may wait or throw.
 */
export function fakeLanguageModel(
  options: {
    vocabularySize?: number;
    contextLength?: number;
    onForward?: (rows: readonly ForwardRow[]) => void | Promise<void>;
  } = {},
): FakeLanguageModel {
  const vocabularySize = options.vocabularySize ?? 32;
  const width = 2;
  const contents = new Map<number, number[]>();
  let lastId = 0;

  function contentOf(sequence: Sequence): number[] {
    const content = contents.get(sequence.id);
    if (!content) throw new Error(`sequence ${sequence.id} is not open`);
    return content;
  }
  function add(content: number[]): Sequence {
    const id = ++lastId;
    contents.set(id, content);
    model.open.add(id);
    return {
      id,
      get length() {
        return contents.get(id)?.length ?? 0;
      },
    };
  }
  function logitsOf(content: readonly number[]): number[] {
    let hash = 7;
    for (const value of content) hash = (Math.imul(hash, 31) + Math.round(value * 1000)) | 0;
    return Array.from({ length: vocabularySize }, (_, id) => {
      const mixed = Math.imul(hash ^ Math.imul(id + 1, 0x9e3779b1), 0x85ebca6b);
      return ((mixed >>> 8) % 10_000) / 1000;
    });
  }
  function append(row: ForwardRow): Float32Array {
    const content = contentOf(row.sequence);
    const values =
      "tokens" in row.input
        ? row.input.tokens
        : Array.from(row.input.embeds).filter((_, i) => i % width === 0);
    const logits = Array.from(values, (value) => {
      content.push(value);
      return logitsOf(content);
    });
    const wanted = { none: [], last: logits.slice(-1), all: logits }[row.logits];
    return Float32Array.from(wanted.flat());
  }

  const model: FakeLanguageModel = {
    vocabularySize,
    width,
    contextLength: options.contextLength ?? 1000,
    forwards: [],
    open: new Set(),
    bytesFor: (positions) => positions,
    create: () => add([]),
    fork: (parent) => add([...contentOf(parent)]),
    reorder(sequences, parents) {
      const before = sequences.map((sequence) => [...contentOf(sequence)]);
      sequences.forEach((sequence, i) => {
        contents.set(sequence.id, [...(before[parents[i] ?? i] ?? [])]);
      });
    },
    truncate(sequence, length) {
      contentOf(sequence).length = length;
    },
    release(sequence) {
      contents.delete(sequence.id);
      model.open.delete(sequence.id);
    },
    async forward(rows) {
      model.forwards.push(
        rows.map(({ sequence, input, logits }) => ({
          sequence: sequence.id,
          positions: "tokens" in input ? input.tokens.length : input.embeds.length / width,
          logits,
        })),
      );
      await options.onForward?.(rows);
      return rows.map(append);
    },
  };
  return model;
}
