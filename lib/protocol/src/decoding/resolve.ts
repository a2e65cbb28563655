import type { z } from "zod";
import { TinyGptvError } from "../errors.ts";
import { parse } from "../issues.ts";
import {
  decodingDefaults,
  decodingParamsSchema,
  ownerOf,
  rowsOf,
  type DecodingName,
  type DecodingParams,
} from "./parameters.ts";
import type { ParameterRow } from "./row.ts";
import type { beamRows } from "./rows/beam.ts";
import { everyRows } from "./rows/every.ts";
import type { DecodingMethod } from "./rows/method.ts";
import type { sampleRows } from "./rows/sample.ts";

type Known = { default: unknown } | { drawn: true };
type Value<Row extends ParameterRow> =
  z.infer<Row["schema"]> extends infer Type
    ? Type extends readonly (infer Item)[]
      ? readonly Item[]
      : Type extends object
        ? Readonly<Type>
        : Type
    : never;
/** The values of rows with nothing left open: what has no default may be absent. */
type Resolved<Rows extends Record<string, ParameterRow>> = {
  [Name in keyof Rows as Rows[Name] extends Known ? Name : never]: Value<Rows[Name]>;
} & {
  [Name in keyof Rows as Rows[Name] extends Known ? never : Name]?: Value<Rows[Name]> | undefined;
};

/** Parameters every method honours. */
type CommonDecoding = Resolved<typeof everyRows>;
/** All that greedy search needs to know. */
export type GreedyDecoding = CommonDecoding & { method: "greedy" };
/** All that sampling needs to know. */
export type SampleDecoding = CommonDecoding & Resolved<typeof sampleRows> & { method: "sample" };
/** All that beam search needs to know. */
export type BeamDecoding = CommonDecoding & Resolved<typeof beamRows> & { method: "beam" };

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
  const given = withoutChance(withoutUndefined(parse(decodingParamsSchema, params, "parameter")));
  const method = methodOf(given);
  rejectOtherMethods(given, method);
  const rows: Record<string, ParameterRow> = { ...everyRows, ...rowsOf[method] };
  const values = Object.entries(rows).map(([name, row]) => [
    name,
    given[name as DecodingName] ?? row.default ?? (row.drawn ? randomSeed() : undefined),
  ]);
  const decoding = withoutUndefined({ ...Object.fromEntries(values), method }) as ResolvedDecoding;
  rejectConflicts(given, decoding);
  return {
    ...decoding,
    // JSON ends where it is complete.
    ...(given.jsonSchema === undefined ? {} : { stop: [] }),
    logprobs: decoding.logprobs || decoding.topLogprobs > 0,
  };
}

/** The method that is named, or that the parameters stand for. */
export function methodOf(given: DecodingParams): DecodingMethod {
  if (given.method !== undefined) return given.method;
  if ((given.numBeams ?? 1) > 1) return "beam";
  return names("sample").some((name) => given[name] !== undefined) ? "sample" : "greedy";
}

/** Whether a decoding has one answer: nothing is left to be drawn. */
export function isDeterministic(params: DecodingParams): boolean {
  const given = withoutChance(params);
  const own: Record<string, ParameterRow> = rowsOf[methodOf(given)];
  return Object.entries(own).every(
    ([name, { drawn }]) => !drawn || given[name as DecodingName] !== undefined,
  );
}

/**
 * Of a distribution with all its weight on one token (temperature 0) whatever
 * else belongs to sampling picks that token: there is nothing left to choose.
 */
export function withoutChance(given: DecodingParams): DecodingParams {
  if (given.temperature !== 0) return given;
  const kept = Object.entries(given).filter(([name]) => ownerOf(name) !== "sample");
  const { method, ...rest }: DecodingParams = Object.fromEntries(kept);
  if (method === undefined) return rest;
  return { ...rest, method: method === "sample" ? "greedy" : method };
}

/** With the model's own end mark: texts that callers give are further ones. JSON ends by itself. */
export function withEndMark({ stop, ...rest }: DecodingParams): DecodingParams {
  if (stop === undefined) return rest;
  const marks = rest.jsonSchema === undefined ? decodingDefaults.stop : [];
  return { ...rest, stop: [...new Set([...marks, ...stop])] };
}

function names(method: DecodingMethod): DecodingName[] {
  return Object.keys(rowsOf[method]) as DecodingName[];
}

function rejectOtherMethods(given: DecodingParams, method: DecodingMethod): void {
  for (const name of Object.keys(given)) {
    const owner = ownerOf(name);
    // One beam is no beam search: true of every other method.
    if (owner === undefined || owner === method) continue;
    if (name === "numBeams" && given.numBeams === 1) continue;
    throw new TinyGptvError(
      "parameter",
      `${name}: want method ${owner} with it, got method ${method}`,
      { subject: name },
    );
  }
}

function rejectConflicts(given: DecodingParams, decoding: ResolvedDecoding): void {
  const { minNewTokens, maxNewTokens, topLogprobs } = decoding;
  if (minNewTokens > maxNewTokens)
    reject("minNewTokens", `at most maxNewTokens (${maxNewTokens})`, minNewTokens);
  if (topLogprobs > 0 && given.logprobs === false)
    reject("topLogprobs", "0 where logprobs is false", topLogprobs);
  if (given.jsonSchema !== undefined) {
    const { stop = [] } = given;
    if (stop.length > 0) reject("stop", "none with jsonSchema", stop.length);
    if (minNewTokens > 0) reject("minNewTokens", "0 with jsonSchema", minNewTokens);
  }
  if (decoding.method !== "beam") return;
  const { numBeams, numReturnSequences } = decoding;
  if (numBeams < 2) reject("numBeams", "a whole number from 2 to 16 for beam search", numBeams);
  if (numReturnSequences > numBeams)
    reject("numReturnSequences", `at most numBeams (${numBeams})`, numReturnSequences);
}

function reject(name: DecodingName, want: string, got: number): never {
  throw new TinyGptvError("parameter", `${name}: want ${want}, got ${got}`, { subject: name });
}

function withoutUndefined<Params extends object>(params: Params): Params {
  return Object.fromEntries(
    Object.entries(params).filter(([, value]) => value !== undefined),
  ) as Params;
}

function systemSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0]!;
}
