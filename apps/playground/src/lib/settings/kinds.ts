/** The kinds of settings: what kind one is decides its control, its check and how it reads in words. */
import { inspection } from "@tinygptv/notebook";
import { decodingDefaults, methodParams } from "@tinygptv/protocol";
import type { DecodingMethod, DecodingParams } from "@tinygptv/protocol";

type Key = keyof DecodingParams;

/** What every setting has. */
interface Described {
  key: Key;
  label: string;
  help: string;
  /** What it is where nobody says; undefined: nothing. */
  fallback: unknown;
  /** The method it belongs to; undefined: all. */
  owner: DecodingMethod | undefined;
  /** Shown under "More". */
  more: boolean;
}

/** Numbers that are accepted, ends included. */
export interface NumberRange {
  min: number;
  max: number;
  integer: boolean;
}

/** One of a few values; the question's own choices (task, template, level) are described like this too. */
export interface Choice {
  kind: "choice";
  label: string;
  help: string;
  options: readonly { value: string | boolean; label: string; help?: string }[];
}

export interface NumberSetting extends Described, NumberRange {
  kind: "number";
  step: number;
}
export interface ChoiceSetting extends Described, Choice {
  kind: "choice";
}
/** Texts, typed one a line. */
export interface TextsSetting extends Described {
  kind: "texts";
  /** Most texts, and most characters of one. */
  most: number;
  longest: number;
}
export interface SeedSetting extends Described, NumberRange {
  kind: "seed";
}
/** Token id -> number. */
export interface BiasesSetting extends Described, NumberRange {
  kind: "biases";
  most: number;
}
export interface SchemaSetting extends Described {
  kind: "schema";
  /** Most characters. */
  longest: number;
  example: string;
}
export type Setting =
  | NumberSetting
  | ChoiceSetting
  | TextsSetting
  | SeedSetting
  | BiasesSetting
  | SchemaSetting;

/** What a parameter is in a notebook where a cell does not say; its stop texts are further ones. */
const fallbacks: DecodingParams = { ...decodingDefaults, ...inspection, stop: [] };

/** What of a setting follows from its key, beside what it is called and what it does. */
export const described = (key: Key, label: string, help: string, more = false): Described => ({
  key,
  label,
  help,
  fallback: fallbacks[key],
  owner: ownerOf(key),
  more,
});

/** Which method a parameter belongs to, undefined where it goes with all. */
export function ownerOf(key: string): DecodingMethod | undefined {
  const entry = Object.entries(methodParams).find(([, keys]) =>
    (keys as readonly string[]).includes(key),
  );
  return entry?.[0] as DecodingMethod | undefined;
}
