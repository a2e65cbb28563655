/** Whether a value can be what it is meant to be: of a setting, or of one of the question's choices. */
import { TinyGptvError, compileJsonSchema } from "@tinygptv/protocol";
import type { Choice, NumberRange, Setting } from "./kinds.ts";

type Checked = Setting | Choice;
type Checks = {
  [Kind in Checked["kind"]]: (
    setting: Extract<Checked, { kind: Kind }>,
    value: unknown,
  ) => string | undefined;
};

const checks: Checks = {
  number: outOfRange,
  seed: outOfRange,
  choice: ({ options }, value) =>
    options.some((option) => option.value === value)
      ? undefined
      : `want one of ${options.map((option) => option.value).join(", ")}, got ${shown(value)}`,
  texts: ({ most, longest }, value) => {
    const texts = value as string[];
    if (texts.length > most) return `want at most ${most} lines, got ${texts.length}`;
    const long = texts.find((text) => text.length > longest);
    return long && `want lines of at most ${longest} characters, got one of ${long.length}`;
  },
  biases: (range, value) => {
    const entries = Object.entries(value as Record<string, unknown>);
    if (entries.length > range.most)
      return `want at most ${range.most} tokens, got ${entries.length}`;
    for (const [id, bias] of entries) {
      if (!/^\d{1,7}$/.test(id)) return `want the id of a token, got ${shown(id)}`;
      const wrong = outOfRange(range, bias);
      if (wrong !== undefined) return `token ${id}: ${wrong}`;
    }
    return undefined;
  },
  schema: ({ longest }, value) => {
    const text = value as string;
    if (text.length > longest) return `want at most ${longest} characters, got ${text.length}`;
    try {
      compileJsonSchema(text);
      return undefined;
    } catch (error) {
      if (!(error instanceof TinyGptvError)) throw error;
      return error.message.replace(/^jsonSchema#?(: )?/, "");
    }
  },
};

/** Why a value is not accepted, or undefined. */
export function complaint(setting: Checked, value: unknown): string | undefined {
  const check = checks[setting.kind] as (setting: Checked, value: unknown) => string | undefined;
  const wrong = check(setting, value);
  return wrong === undefined ? undefined : `${setting.label}: ${wrong}`;
}

function outOfRange({ min, max, integer }: NumberRange, value: unknown): string | undefined {
  const fits = integer ? Number.isInteger(value) : Number.isFinite(value);
  if (fits && Number(value) >= min && Number(value) <= max) return undefined;
  return `want a ${integer ? "whole number" : "number"} from ${min} to ${max}, got ${shown(value)}`;
}

/** An empty field has NaN for its number. */
const shown = (value: unknown): string =>
  Number.isNaN(value) || value === "" ? "nothing" : String(value);
