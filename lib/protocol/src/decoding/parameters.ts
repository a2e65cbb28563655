/**
 * The table of decoding parameters, and what follows from it alone. A new
 * parameter is a row in the file of its method (`rows/`) and, in the runtime,
 * what it does (`processorsFor`). Schemas, defaults, both translations to
 * HTTP, settings panel, command line, sweeps and the edge's cache read it here.
 */
import { z } from "zod";
import { beamRows } from "./rows/beam.ts";
import { everyRows } from "./rows/every.ts";
import { methodRows, type DecodingMethod } from "./rows/method.ts";
import { sampleRows } from "./rows/sample.ts";
import { isPlain, type ParameterRow } from "./row.ts";

/** Rows of one method; all others go with every method. */
export const rowsOf = { greedy: {}, sample: sampleRows, beam: beamRows } as const satisfies Record<
  DecodingMethod,
  Record<string, ParameterRow>
>;

/** All decoding parameters, a row each: what is accepted, the default, the names elsewhere, the wording. */
export const decodingTable = { ...methodRows, ...everyRows, ...sampleRows, ...beamRows };
export type DecodingTable = typeof decodingTable;
/** Name of a decoding parameter in the library, in camelCase. */
export type DecodingName = keyof DecodingTable;

/** Names of all decoding parameters, in the order of the table. */
export const decodingNames = Object.keys(decodingTable) as DecodingName[];

/** A row as what every row has, for those who go through all of them. */
export const rowOf = (name: DecodingName): ParameterRow => decodingTable[name];

type Shape = { [Name in DecodingName]: z.ZodOptional<DecodingTable[Name]["schema"]> };

/**
 * Decoding parameters as callers give them: all optional, none unknown.
 * `resolveDecoding` infers the method where it is not given, fills in the
 * defaults and rejects what does not belong to the method.
 */
export const decodingParamsSchema = z.strictObject(
  Object.fromEntries(decodingNames.map((name) => [name, rowOf(name).schema.optional()])) as Shape,
);
export type DecodingParams = z.infer<typeof decodingParamsSchema>;

type WithDefault = {
  [
    Name in DecodingName as DecodingTable[Name] extends { default: unknown } ? Name : never
  ]: DecodingTable[Name] extends { default: infer Default } ? Default : never;
};

/** What a parameter is where the caller leaves it out; a seed is drawn. */
export const decodingDefaults = Object.fromEntries(
  decodingNames.flatMap((name) => {
    const row = rowOf(name);
    return row.default === undefined ? [] : [[name, row.default]];
  }),
) as WithDefault;

/** The method a parameter belongs to, undefined where it goes with all. */
export function ownerOf(name: string): DecodingMethod | undefined {
  const owner = Object.entries(rowsOf).find(([, rows]) => Object.hasOwn(rows, name));
  return owner?.[0] as DecodingMethod | undefined;
}

/** Parameters of one plain value: what a sweep can go through. */
export const plainParameters: readonly DecodingName[] = decodingNames.filter((name) =>
  isPlain(rowOf(name)),
);
