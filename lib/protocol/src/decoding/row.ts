/** What is said of a decoding parameter, once: everything else that concerns it is made from its row. */
import type { z } from "zod";

/** How a person sets a value: what kind it is, and the limits of what is sensible by hand. */
export type Control =
  | { kind: "number"; min: number; max: number; step: number }
  | { kind: "seed"; min: number; max: number }
  | { kind: "choice"; options: readonly Option[] }
  /** Several texts; at most so many, of at most so many characters. */
  | { kind: "texts"; most: number; longest: number }
  /** Token id -> number. */
  | { kind: "biases"; min: number; max: number; most: number }
  /** JSON text. */
  | { kind: "schema"; longest: number; example: string }
  /** On or off. */
  | { kind: "flag" };

/** A value to choose among, with its wording. */
export interface Option {
  value: string | boolean;
  label: string;
  help?: string;
}

/** All there is to say about a decoding parameter. */
export interface ParameterRow {
  /** What is accepted. */
  schema: z.ZodType;
  /** What it is where nobody says; absent: nothing, or drawn. */
  default?: unknown;
  /** Drawn by chance where nobody says: an answer is determined only where it is given. */
  drawn?: true;
  /** Its name over HTTP. */
  http?: string;
  /** What people call it. */
  label: string;
  /** What it does, as a sentence. */
  help: string;
  control: Control;
  /** Seldom needed: shown under "More". */
  more?: true;
  /** Why it has no control of its own beside the others. */
  implied?: string;
}

/** Kinds that are one plain value, so that a sweep can go through several of them. */
const plainKinds: readonly Control["kind"][] = ["number", "seed", "choice"];

export const isPlain = ({ control }: ParameterRow): boolean => plainKinds.includes(control.kind);
