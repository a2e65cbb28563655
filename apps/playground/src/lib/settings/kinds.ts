/** The kinds of settings: what kind one is decides its control, its check and how it reads in words. */
import type { Control, DecodingMethod, DecodingName, Option } from "@tinygptv/protocol";

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
  options: readonly Option[];
}

/** What every setting has. */
interface Described {
  key: DecodingName;
  label: string;
  help: string;
  /** What it is where nobody says; undefined: nothing. */
  fallback: unknown;
  /** The method it belongs to; undefined: all. */
  owner: DecodingMethod | undefined;
  /** Shown under "More". */
  more: boolean;
}

/** A control of the table of parameters, with what a person reads beside it. */
type Shown<Kind extends Control["kind"]> = Described & Extract<Control, { kind: Kind }>;

export type NumberSetting = Shown<"number"> & NumberRange;
export type ChoiceSetting = Shown<"choice">;
export type TextsSetting = Shown<"texts">;
export type SeedSetting = Shown<"seed"> & NumberRange;
export type BiasesSetting = Shown<"biases"> & NumberRange;
export type SchemaSetting = Shown<"schema">;
export type Setting =
  | NumberSetting
  | ChoiceSetting
  | TextsSetting
  | SeedSetting
  | BiasesSetting
  | SchemaSetting;
