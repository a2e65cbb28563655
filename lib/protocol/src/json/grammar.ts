/**
 * Grammars over bytes as data. Equal nodes are one object, so that states of
 * the automaton built on them can be compared by identity.
 */
export type Grammar =
  | { readonly kind: "empty"; readonly id: number }
  /** One byte of a set. */
  | { readonly kind: "byte"; readonly id: number; readonly has: readonly boolean[] }
  | { readonly kind: "sequence"; readonly id: number; readonly parts: readonly Grammar[] }
  | { readonly kind: "choice"; readonly id: number; readonly options: readonly Grammar[] }
  | {
      readonly kind: "repeat";
      readonly id: number;
      readonly body: Grammar;
      readonly min: number;
      readonly max: number;
    }
  /** Stands for a grammar that is not finished yet: recursion. */
  | { readonly kind: "reference"; readonly id: number; readonly resolve: () => Grammar };

export type ByteRange = readonly [first: number, last: number];

export interface GrammarBuilder {
  readonly empty: Grammar;
  /** One byte out of any of the ranges. */
  bytes(...ranges: readonly ByteRange[]): Grammar;
  /** A text's UTF-8 bytes. */
  text(text: string): Grammar;
  sequence(...parts: readonly Grammar[]): Grammar;
  /** Without options: nothing at all fits. */
  choice(...options: readonly Grammar[]): Grammar;
  /** `max` may be Infinity. */
  repeat(body: Grammar, min: number, max: number): Grammar;
  optional(body: Grammar): Grammar;
  reference(resolve: () => Grammar): Grammar;
  /** Nodes made so far; what bounds a hostile schema. */
  readonly size: number;
}

/** A builder with no nodes yet; grammars of different builders do not mix. */
export function createGrammarBuilder(): GrammarBuilder {
  const nodes = new Map<string, Grammar>();
  let count = 0;
  const encoder = new TextEncoder();

  function intern(key: string, make: (id: number) => Grammar): Grammar {
    const known = nodes.get(key);
    if (known) return known;
    const node = make(count++);
    nodes.set(key, node);
    return node;
  }
  const ids = (grammars: readonly Grammar[]) => grammars.map(({ id }) => id).join(",");

  const builder: GrammarBuilder = {
    empty: intern("empty", (id) => ({ kind: "empty", id })),
    bytes(...ranges) {
      const fits = (byte: number) => ranges.some(([first, last]) => byte >= first && byte <= last);
      return intern(`byte ${ranges.join(" ")}`, (id) => {
        const has = Array.from({ length: 256 }, (_, byte) => fits(byte));
        return { kind: "byte", id, has };
      });
    },
    text: (text) =>
      builder.sequence(...Array.from(encoder.encode(text), (byte) => builder.bytes([byte, byte]))),
    sequence(...parts) {
      const some = parts.filter(({ kind }) => kind !== "empty");
      if (some.length <= 1) return some[0] ?? builder.empty;
      return intern(`sequence ${ids(some)}`, (id) => ({ kind: "sequence", id, parts: some }));
    },
    choice(...options) {
      const distinct = [...new Set(options)];
      if (distinct.length === 1) return distinct[0]!;
      return intern(`choice ${ids(distinct)}`, (id) => ({ kind: "choice", id, options: distinct }));
    },
    repeat(body, min, max) {
      if (max === 0) return builder.empty;
      if (min === 1 && max === 1) return body;
      return intern(`repeat ${body.id} ${min} ${max}`, (id) => ({
        kind: "repeat",
        id,
        body,
        min,
        max,
      }));
    },
    optional: (body) => builder.repeat(body, 0, 1),
    reference: (resolve) => ({ kind: "reference", id: count++, resolve }),
    get size() {
      return count;
    },
  };
  return builder;
}
