import { TinyGptvError } from "../errors.ts";
import { parse } from "../parse.ts";
import { decodingDefaults, decodingParamsSchema, methodParams } from "../protocol.ts";
import type { DecodingMethod, DecodingParams } from "../protocol.ts";

/** Parameters every method honours. */
export interface CommonDecoding {
  maxNewTokens: number;
  minNewTokens: number;
  stop: readonly string[];
  badWords: readonly string[];
  /** Token id (as text) -> number added to its logit. */
  logitBias: Readonly<Record<string, number>>;
  repetitionPenalty: number;
  presencePenalty: number;
  frequencyPenalty: number;
  noRepeatNgramSize: number;
  /** As JSON text. */
  jsonSchema?: string | undefined;
  logprobs: boolean;
  topLogprobs: number;
}

export interface GreedyDecoding extends CommonDecoding {
  method: "greedy";
}

export interface SampleDecoding extends CommonDecoding {
  method: "sample";
  temperature: number;
  topK: number;
  topP: number;
  minP: number;
  seed: number;
}

export interface BeamDecoding extends CommonDecoding {
  method: "beam";
  numBeams: number;
  lengthPenalty: number;
  earlyStopping: boolean | "never";
  numReturnSequences: number;
}

/** Decoding parameters with nothing left open; plain data. */
export type ResolvedDecoding = GreedyDecoding | SampleDecoding | BeamDecoding;

/**
 * Checks decoding parameters and fills in what is missing. Without `method`,
 * `numBeams` above 1 means beam search, any parameter of sampling means
 * sampling, and otherwise it is greedy. `randomSeed` draws the seed of a
 * sampling that names none.
 * @throws TinyGptvError `parameter`, naming the parameter: out of range, unknown,
 *   not one of the method's, or in conflict with another one.
 */
export function resolveDecoding(
  params: unknown = {},
  randomSeed: () => number = systemSeed,
): ResolvedDecoding {
  const given = withoutUndefined(parse(decodingParamsSchema, params, "parameter"));
  const method = methodOf(given);
  rejectOtherMethods(given, method);
  const { temperature, topK, topP, minP, seed, ...rest } = { ...decodingDefaults, ...given };
  const { numBeams, lengthPenalty, earlyStopping, numReturnSequences, ...common } = rest;
  if (common.minNewTokens > common.maxNewTokens) {
    reject("minNewTokens", `at most maxNewTokens (${common.maxNewTokens})`, common.minNewTokens);
  }
  if (common.topLogprobs > 0 && given.logprobs === false) {
    reject("topLogprobs", "0 where logprobs is false", common.topLogprobs);
  }
  if (given.jsonSchema !== undefined) rejectOtherEnds(given);
  const shared = {
    ...common,
    stop: given.jsonSchema === undefined ? common.stop : [],
    logprobs: common.logprobs || common.topLogprobs > 0,
  };
  switch (method) {
    case "greedy":
      return { ...shared, method };
    case "sample":
      return { ...shared, method, temperature, topK, topP, minP, seed: seed ?? randomSeed() };
    case "beam":
      if (numBeams < 2) reject("numBeams", "a whole number from 2 to 16 for beam search", numBeams);
      if (numReturnSequences > numBeams) {
        reject("numReturnSequences", `at most numBeams (${numBeams})`, numReturnSequences);
      }
      return { ...shared, method, numBeams, lengthPenalty, earlyStopping, numReturnSequences };
  }
}

/** The method that is named, or that the parameters stand for. */
export function methodOf(given: DecodingParams): DecodingMethod {
  if (given.method !== undefined) return given.method;
  if ((given.numBeams ?? 1) > 1) return "beam";
  return methodParams.sample.some((name) => given[name] !== undefined) ? "sample" : "greedy";
}

function rejectOtherMethods(given: DecodingParams, method: DecodingMethod): void {
  for (const [owner, names] of Object.entries(methodParams)) {
    if (owner === method) continue;
    for (const name of names) {
      // One beam is no beam search: true of every other method.
      if (!(name in given) || (name === "numBeams" && given.numBeams === 1)) continue;
      throw new TinyGptvError(
        "parameter",
        `${name}: want method ${owner} with it, got method ${method}`,
        { subject: name },
      );
    }
  }
}

/** JSON ends where it is complete, neither earlier nor later. */
function rejectOtherEnds({ stop = [], minNewTokens = 0 }: DecodingParams): void {
  if (stop.length > 0) reject("stop", "none with jsonSchema", stop.length);
  if (minNewTokens > 0) reject("minNewTokens", "0 with jsonSchema", minNewTokens);
}

function reject(name: keyof DecodingParams, want: string, got: number): never {
  throw new TinyGptvError("parameter", `${name}: want ${want}, got ${got}`, { subject: name });
}

function withoutUndefined(params: DecodingParams): DecodingParams {
  return Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined));
}

function systemSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0]!;
}
