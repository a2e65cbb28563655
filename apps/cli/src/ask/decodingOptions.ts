/**
 * The decoding parameters as command-line options. Names, types, ranges and
 * defaults come from the schema; only what they do is said here.
 */
import { InvalidArgumentError, Option } from "commander";
import { decodingDefaults, decodingParamsSchema } from "@tinygptv/protocol";
import type { DecodingParams } from "@tinygptv/protocol";

type Name = keyof DecodingParams;

const help: Record<Name, string> = {
  method: "how tokens are chosen; inferred from the other options",
  maxNewTokens: "length of the answer at most, in tokens",
  minNewTokens: "length of the answer at least, in tokens",
  stop: "text that ends the answer; may be repeated",
  badWords: "text that must not occur; may be repeated",
  logitBias: "number added to the logit of a token, as id=number; may be repeated",
  repetitionPenalty: "above 1: tokens of the answer become less likely",
  presencePenalty: "subtracted once from the logits of tokens of the answer",
  frequencyPenalty: "subtracted from the logit of a token for each time it occurs",
  noRepeatNgramSize: "no sequence of so many tokens occurs twice",
  jsonSchema: "JSON Schema, as JSON: the answer is valid under it",
  logprobs: "give the log-probability of every token (--json, --jsonl)",
  topLogprobs: "give so many alternatives for every token (--json, --jsonl)",
  temperature: "sampling: below 1 sharper, above 1 flatter",
  topK: "sampling: only the so many most likely tokens; 0 for all",
  topP: "sampling: only the most likely tokens of together this probability",
  minP: "sampling: only tokens of at least this part of the highest probability",
  seed: "sampling: the same seed gives the same answer",
  numBeams: "beam search over so many beams",
  lengthPenalty: "beam search: above 0 favours long answers",
  earlyStopping: "beam search: true, false or never",
  numReturnSequences: "beam search: answers to give",
};

/** What JSON Schema says of a parameter, as far as options need it. */
interface Property {
  type?: string;
  enum?: string[];
  minimum?: number;
  maximum?: number;
}

const properties = decodingParamsSchema.toJSONSchema().properties as Record<Name, Property>;
const names = Object.keys(properties) as Name[];

/** One option for each parameter: `numBeams` is `--num-beams <n>`. */
export function decodingOptions(): Option[] {
  return names.map((name) => {
    const property = properties[name];
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    const option = new Option(`${flag}${placeholders[property.type ?? ""] ?? ""}`, describe(name));
    option.negate = false; // `--no-repeat-ngram-size` is a name, not the opposite of something
    if (property.enum) return option.choices(property.enum);
    return property.type === "boolean" ? option : option.argParser(reader(property));
  });
}

/** Takes the decoding parameters out of all options of a command. */
export function decodingParams(options: Readonly<Record<string, unknown>>): DecodingParams {
  return Object.fromEntries(
    names.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]),
  );
}

const placeholders: Record<string, string> = {
  integer: " <n>",
  number: " <number>",
  string: " <text>",
  array: " <text>",
  object: " <id=number>",
  boolean: "",
  "": " <value>",
};

function describe(name: Name): string {
  const { minimum, maximum } = properties[name];
  const fallback: unknown = Reflect.get(decodingDefaults, name);
  const bounded = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER;
  const notes = [
    ...(bounded ? [`${minimum} to ${maximum}`] : []),
    ...(fallback === undefined || isEmpty(fallback) ? [] : [`default ${String(fallback)}`]),
  ];
  return notes.length === 0 ? help[name] : `${help[name]} (${notes.join(", ")})`;
}

function isEmpty(value: unknown): boolean {
  return (
    typeof value === "boolean" ||
    (typeof value === "object" && Object.keys(value ?? {}).length === 0)
  );
}

/** Reads text into the parameter's type; its range is checked with all parameters together. */
function reader({ type }: Property): (text: string, before: unknown) => unknown {
  switch (type) {
    case "integer":
    case "number":
      return (text) => toNumber(text);
    case "array":
      return (text, before) => [...(Array.isArray(before) ? (before as string[]) : []), text];
    case "object":
      return (text, before) => {
        const [id = "", value = ""] = text.split("=");
        return { ...(before as Record<string, number> | undefined), [id]: toNumber(value) };
      };
    case "string":
      return (text) => text;
    default: // a choice of types: true, false or a word
      return (text) => ({ true: true, false: false })[text] ?? text;
  }
}

function toNumber(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && !Number.isNaN(value)) return value;
  throw new InvalidArgumentError(`Want a number, got ${text || "nothing"}.`);
}
