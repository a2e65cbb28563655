/** The decoding parameters as command-line options, made from their table. */
import { InvalidArgumentError, Option } from "commander";
import { decodingNames, decodingParamsSchema, ownerOf, rowOf } from "@tinygptv/protocol";
import type { Control, DecodingMethod, DecodingName, DecodingParams } from "@tinygptv/protocol";

/** One option for each parameter: `numBeams` is `--num-beams <n>`. */
export function decodingOptions(): Option[] {
  return decodingNames.map((name) => {
    const { control } = rowOf(name);
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    const option = new Option(`${flag}${placeholders[control.kind]}`, describe(name));
    option.negate = false; // `--no-repeat-ngram-size` is a name, not the opposite of something
    const reader = readerOf(control);
    return reader === undefined ? option : option.argParser(reader);
  });
}

/** Takes the decoding parameters out of all options of a command. */
export function decodingParams(options: Readonly<Record<string, unknown>>): DecodingParams {
  return Object.fromEntries(
    decodingNames
      .filter((name) => options[name] !== undefined)
      .map((name) => [name, options[name]]),
  );
}

const placeholders: Record<Control["kind"], string> = {
  number: " <number>",
  seed: " <n>",
  choice: " <value>",
  texts: " <text>",
  biases: " <id=number>",
  schema: " <json>",
  flag: "",
};

const methods: Record<DecodingMethod, string> = {
  greedy: "greedy",
  sample: "sampling",
  beam: "beam search",
};

/** `sampling: choose among the k most probable tokens; 0 means all (0 to 100000, default 50)` */
function describe(name: DecodingName): string {
  const { help, control, default: fallback } = rowOf(name);
  const owner = ownerOf(name);
  const sentence = help.charAt(0).toLowerCase() + help.slice(1).replace(/\.$/, "");
  const repeated = control.kind === "texts" || control.kind === "biases";
  const notes = [
    ...(repeated ? ["may be repeated"] : []),
    ...rangeOf(name),
    ...(control.kind === "choice" ? [control.options.map(({ value }) => value).join(", ")] : []),
    ...(typeof fallback === "number" || name === "stop" ? [`default ${String(fallback)}`] : []),
  ];
  return `${owner ? `${methods[owner]}: ` : ""}${sentence}${notes.length > 0 ? ` (${notes.join(", ")})` : ""}`;
}

/** What JSON Schema says of a parameter, as far as its help needs it. */
interface Property {
  minimum?: number;
  maximum?: number;
  anyOf?: Property[];
}

const properties = decodingParamsSchema.toJSONSchema().properties as Record<DecodingName, Property>;

function rangeOf(name: DecodingName): string[] {
  const { anyOf = [properties[name]] } = properties[name];
  const { minimum, maximum } = anyOf.find((one) => one.maximum !== undefined) ?? {};
  const bounded = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER;
  return bounded ? [`${minimum} to ${maximum}`] : [];
}

/** Reads text into the parameter's type; its range is checked with all parameters together. */
function readerOf(control: Control): ((text: string, before: unknown) => unknown) | undefined {
  switch (control.kind) {
    case "number":
    case "seed":
      return (text) => toNumber(text);
    case "texts":
      return (text, before) => [...(Array.isArray(before) ? (before as string[]) : []), text];
    case "biases":
      return (text, before) => {
        const [id = "", value = ""] = text.split("=");
        return { ...(before as Record<string, number> | undefined), [id]: toNumber(value) };
      };
    case "choice":
      return (text) => {
        const option = control.options.find(({ value }) => String(value) === text);
        if (option !== undefined) return option.value;
        const all = control.options.map(({ value }) => value).join(", ");
        throw new InvalidArgumentError(`Want one of ${all}, got ${text || "nothing"}.`);
      };
    case "schema":
      return (text) => text;
    case "flag":
      return undefined;
  }
}

function toNumber(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && !Number.isNaN(value)) return value;
  throw new InvalidArgumentError(`Want a number, got ${text || "nothing"}.`);
}
