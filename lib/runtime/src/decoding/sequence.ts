/**
 * What a decoder sees of the language model: sequences it can extend, fork and
 * cut, and logits that come back from a forward pass. Decoders are generators:
 * they yield the rows they want run and receive the logits, so a scheduler can
 * put the rows of many decoders into one batch, and tests can play the model.
 */

/** The cached keys and values of one text so far. */
export interface Sequence {
  readonly id: number;
  /** Positions held. */
  readonly length: number;
}

export interface SequenceStore {
  /** An empty sequence. */
  create(): Sequence;
  /** A further sequence with the same content; later writes to one do not show in the other. */
  fork(parent: Sequence): Sequence;
  /**
   * Beam reordering: afterwards `sequences[i]` holds what `sequences[parents[i]]` held before.
   * Only positions that differ are copied.
   */
  reorder(sequences: readonly Sequence[], parents: readonly number[]): void;
  /** Forgets all positions from `length` on. */
  truncate(sequence: Sequence, length: number): void;
  /** Frees its positions; it cannot be used again. */
  release(sequence: Sequence): void;
}

/** One row of a forward pass: what is appended to a sequence, and where logits are wanted. */
export interface ForwardRow {
  readonly sequence: Sequence;
  /** Token ids or embeddings [positions, width]; exactly one of the two is given. */
  readonly input: { tokens: readonly number[] } | { embeds: Float32Array };
  /**
   * "last": logits after the last input only; "all": after every one; "none": an
   * empty array, for the earlier chunks of a long input that a scheduler cuts up.
   */
  readonly logits: "last" | "all" | "none";
}

/** Per row, logits [0, 1 or positions, vocabulary] as one array. */
export type ForwardLogits = readonly Float32Array[];

/** A decoding method: yields rows to run, receives their logits, returns its result. */
export type Decoder<Result> = Generator<readonly ForwardRow[], Result, ForwardLogits>;

/** The language model as decoders and the scheduler use it: sequences, and batches of rows run over them. */
export interface LanguageModel extends SequenceStore {
  readonly vocabularySize: number;
  /** Width of an embedding row. */
  readonly width: number;
  /** Longest sequence, in positions. */
  readonly contextLength: number;
  /** Memory that a sequence of so many positions takes. */
  bytesFor(positions: number): number;
  /**
   * Runs one batch. Every row appends its input to its sequence; no sequence
   * appears twice. Rejects with code "prompt" where a sequence would outgrow the
   * context, before anything has been changed. One call at a time.
   */
  forward(rows: readonly ForwardRow[]): Promise<ForwardLogits>;
}
