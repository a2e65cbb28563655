import {
  TinyGptvError,
  compileJsonSchema,
  createAutomaton,
  createGrammarBuilder,
} from "@tinygptv/protocol";
import type { State } from "@tinygptv/protocol";
import type { LogitsProcessor } from "../logitsProcessors.ts";
import { allowedTokens, createTokenTrie } from "./tokenTrie.ts";
import type { TokenTrie } from "./tokenTrie.ts";

/** What constrained decoding needs of a tokenizer. */
export interface TokenSource {
  /** Largest id + 1. */
  readonly vocabularySize: number;
  readonly endOfTextId: number;
  readonly specialIds: ReadonlySet<number>;
  tokenBytes(id: number): Uint8Array;
}

/** States remembered before beginning anew: some 100 MB. */
const maxStates = 100_000;
/** Lists of allowed tokens remembered; inside a string each has all tokens, 200 kB. */
const maxLists = 64;

const tries = new WeakMap<TokenSource, TokenTrie>();

/** A tokenizer's tokens but the special ones, sorted once. */
function trieOf(source: TokenSource): TokenTrie {
  const known = tries.get(source);
  if (known) return known;
  const ids = Array.from({ length: source.vocabularySize }, (_, id) => id);
  const trie = createTokenTrie(
    ids
      .filter((id) => !source.specialIds.has(id))
      .map((id) => [id, source.tokenBytes(id)] as const),
  );
  tries.set(source, trie);
  return trie;
}

/** Constraints kept for the next answers under the same schema: several to one prompt share their states and lists. */
const maxConstraints = 4;

const constraints = new WeakMap<TokenSource, Map<string, LogitsProcessor>>();

/** A schema's constraint, made once for the answers that come together or soon after each other. */
export function jsonConstraint(schema: string, source: TokenSource): LogitsProcessor {
  const known = constraints.get(source) ?? new Map<string, LogitsProcessor>();
  constraints.set(source, known);
  const constraint = known.get(schema) ?? createConstraint(schema, source);
  known.delete(schema);
  known.set(schema, constraint);
  if (known.size > maxConstraints) known.delete(known.keys().next().value!);
  return constraint;
}

/**
 * Leaves only tokens after which the answer can still become valid under a JSON
 * Schema; the end token when it is. The history is walked anew each time, so
 * beams need no state of their own.
 * @throws TinyGptvError "parameter" as compileJsonSchema does
 */
function createConstraint(schema: string, source: TokenSource): LogitsProcessor {
  const builder = createGrammarBuilder();
  const grammar = compileJsonSchema(schema, builder);
  const trie = trieOf(source);
  let automaton = createAutomaton(grammar, builder);
  const lists = new Map<State, Int32Array>();

  function stateAfter(answer: readonly number[]): State {
    if (automaton.size > maxStates) {
      automaton = createAutomaton(grammar, builder);
      lists.clear();
    }
    let state: State | undefined = automaton.start;
    for (const id of answer)
      for (const byte of source.tokenBytes(id)) state = state && automaton.step(state, byte);
    if (state) return state;
    throw new TinyGptvError(
      "parameter",
      "answerPrefix: want the beginning of a text that fits jsonSchema",
      {
        subject: "answerPrefix",
      },
    );
  }

  function allowedIn(exact: State): Int32Array {
    const state = automaton.within(exact, trie.longest);
    const known = lists.get(state);
    if (known) return known;
    if (lists.size >= maxLists) lists.delete(lists.keys().next().value!);
    const list = allowedTokens(trie, automaton, state);
    lists.set(state, list);
    return list;
  }

  return (logits, [, ...answer]) => {
    const state = stateAfter(answer);
    const allowed = state.final ? [] : [...allowedIn(state)];
    if (state.accepting) allowed.push(source.endOfTextId);
    const scores = allowed.map((id) => logits[id]!);
    logits.fill(-Infinity);
    allowed.forEach((id, i) => (logits[id] = scores[i]!));
  };
}
