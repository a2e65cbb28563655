/**
 * Decoding parameters as fields of a request, made from their table, and both
 * ways between the two. Most fields are their parameter under another name;
 * what is more than that is in `special`.
 */
import { z } from "zod";
import {
  decodingDefaults,
  decodingNames,
  decodingTable,
  rowOf,
  type DecodingName,
  type DecodingParams,
  type DecodingTable,
} from "../decoding/parameters.ts";
import { withEndMark, withoutChance } from "../decoding/resolve.ts";
import type { DecodingMethod } from "../decoding/rows/method.ts";
import { TinyGptvError } from "../errors.ts";
import { fromResponseFormat, responseFormatSchema, toResponseFormat } from "./responseFormat.ts";

/** Parameters that are no field: the method follows from the others, and how many answers come back counts generations too (`n`). */
const fieldless = ["method", "numReturnSequences"] as const;
type FieldName = Exclude<DecodingName, (typeof fieldless)[number]>;
const fieldNames = decodingNames.filter(
  (name): name is FieldName => !fieldless.some((other) => other === name),
);

const stopText = z.string().min(1).max(256);

/** Fields that take something else than their parameter does, and how each becomes the other. */
const special = {
  stop: {
    schema: z.union([stopText, z.array(stopText).max(8)]),
    help: "Texts before which the answer ends, besides ### which always ends it",
    // The model's own end mark always is one, so nobody has to say it.
    toHttp: (texts: readonly string[]) => {
      const further = texts.filter((text) => !decodingDefaults.stop.some((mark) => mark === text));
      return further.length === 0 ? undefined : further;
    },
    fromHttp: (stop: string | string[]) => [stop].flat(),
  },
  // OpenAI's range.
  temperature: { schema: z.number().min(0).max(2) },
  jsonSchema: {
    schema: responseFormatSchema,
    toHttp: toResponseFormat,
    fromHttp: fromResponseFormat,
  },
} as const;

interface Special {
  schema: z.ZodType;
  help?: string;
  toHttp?(value: unknown): unknown;
  fromHttp?(value: unknown): unknown;
}
const specialOf = (name: FieldName) =>
  (special as unknown as Readonly<Partial<Record<FieldName, Special>>>)[name];

type FieldSchema<Name extends FieldName> = Name extends keyof typeof special
  ? (typeof special)[Name]["schema"]
  : DecodingTable[Name]["schema"];
type Fields = {
  [Name in FieldName as DecodingTable[Name]["http"]]: z.ZodOptional<FieldSchema<Name>>;
} & { max_completion_tokens: z.ZodOptional<DecodingTable["maxNewTokens"]["schema"]> };

/** Fields of the requests that decode. */
export const decodingFields = {
  ...Object.fromEntries(
    fieldNames.map((name) => {
      const { schema, help } = { ...rowOf(name), ...specialOf(name) };
      return [rowOf(name).http, schema.optional().describe(help)];
    }),
  ),
  max_completion_tokens: decodingTable.maxNewTokens.schema
    .optional()
    .describe("The same as max_tokens"),
} as unknown as Fields;

/** Decoding parameters by their names over HTTP, in snake_case. */
export const decodingParametersSchema = z
  .strictObject(decodingFields)
  .meta({ id: "DecodingParameters" });
export type DecodingParameters = z.infer<typeof decodingParametersSchema>;

/** The method is inferred from the fields; one whose parameters are all at their defaults must still be said. */
const marks: Readonly<Record<DecodingMethod, DecodingParams>> = {
  greedy: {},
  sample: { temperature: decodingDefaults.temperature },
  beam: { numBeams: decodingDefaults.numBeams },
};

/**
 * Decoding parameters as fields.
 * @throws TinyGptvError "parameter" where a JSON Schema is no JSON
 */
export function toHttpDecoding(decoding: DecodingParams): DecodingParameters {
  const { method = "greedy" } = decoding;
  const params = { ...marks[method], ...decoding };
  const fields = fieldNames.map((name) => {
    const value: unknown = params[name];
    const toHttp = specialOf(name)?.toHttp ?? ((same: unknown) => same);
    return [rowOf(name).http, value === undefined ? undefined : toHttp(value)] as const;
  });
  const given: DecodingParameters = Object.fromEntries(
    fields.filter(([, value]) => value !== undefined),
  );
  // Alternatives bring their log-probabilities; over HTTP both are said.
  return (given.top_logprobs ?? 0) > 0 ? { ...given, logprobs: true } : given;
}

/**
 * Fields as decoding parameters; what the engine checks is left to it.
 * @throws TinyGptvError "parameter", naming the field
 */
export function fromHttpDecoding(given: DecodingParameters): DecodingParams {
  const { max_tokens, max_completion_tokens = max_tokens } = given;
  if (max_tokens !== undefined && max_tokens !== max_completion_tokens)
    reject("max_completion_tokens", "want the same as max_tokens, or one of the two");
  if ((given.top_logprobs ?? 0) > 0 && given.logprobs !== true)
    reject("top_logprobs", "want logprobs true with it");
  const params = fieldNames.map((name) => {
    const value: unknown = Reflect.get(given, rowOf(name).http!);
    const fromHttp = specialOf(name)?.fromHttp ?? ((same: unknown) => same);
    return [name, value === undefined ? undefined : fromHttp(value)] as const;
  });
  const decoding: DecodingParams = Object.fromEntries(
    params.filter(([, value]) => value !== undefined),
  );
  return withoutChance(
    withEndMark(
      max_completion_tokens === undefined
        ? decoding
        : { ...decoding, maxNewTokens: max_completion_tokens },
    ),
  );
}

function reject(subject: string, message: string): never {
  throw new TinyGptvError("parameter", `${subject}: ${message}`, { subject });
}
