/** The one way from what a schema finds wrong to a sentence: where, what is wanted, what was given. */
import { z } from "zod";
import { TinyGptvError } from "./errors.ts";
import type { ErrorCode } from "./errors.ts";
import { describeWanted, overfullAt, schemasAt } from "./wanted.ts";

type Issue = z.core.$ZodIssue;

/** Something in a value that its schema does not accept. */
export interface Fault {
  path: readonly PropertyKey[];
  /** `rounds[0].prompt`; "" for the value as a whole. */
  at: string;
  /** `want a number from 0 to 1, got 7` */
  message: string;
  kind: "unknown" | "missing" | "type" | "value";
  /** Names that are known where an unknown one stands. */
  known?: readonly string[] | undefined;
}

/** A value as its schema makes it, or what is wrong with it. */
export type Checked<Output> =
  | { data: Output; faults?: undefined }
  | { data?: undefined; faults: [Fault, ...Fault[]] };

/**
 * Puts a schema to a value. What has far more entries than it may is found first:
 * the schema would make an issue of each before it counts them.
 */
export function check<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
): Checked<z.output<Schema>> {
  const overfull = overfullAt(schema, value);
  if (overfull) return { faults: [overfullFault(overfull, schema, value)] };
  const { data, error } = schema.safeParse(value);
  if (error === undefined) return { data };
  const [first, ...others] = faultsOf(error, schema, value);
  return { faults: [first!, ...others] };
}

/** Everything a schema finds wrong with a value; none where it fits. */
export function faultsIn(schema: z.ZodType, value: unknown): Fault[] {
  return check(schema, value).faults ?? [];
}

/** What went wrong when `schema` was put to `value`. Their messages are made when they are read: of a hundred thousand, one is. */
export function faultsOf(error: z.ZodError, schema: z.ZodType, value: unknown): Fault[] {
  return error.issues.map(deepest).flatMap((issue) => {
    // An unknown name is the fault of the name, not of the object that holds it.
    const paths =
      issue.code === "unrecognized_keys"
        ? issue.keys.map((key) => [...issue.path, key])
        : [issue.path];
    return paths.map((path) => faultAt(path, issue, schema, value));
  });
}

/** A fault as a sentence: `topP: want a number from 0 to 1, got 7`. */
export function sentence({ at, message }: Fault, whole: string): string {
  return `${at || whole}: ${message}`;
}

/**
 * A value checked against a schema. The error names the first thing that is
 * wrong; its subject is the outermost name on the way (`topP`).
 */
export function parse<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  code: ErrorCode,
): z.output<Schema> {
  const { data, faults } = check(schema, value);
  if (faults === undefined) return data;
  const [fault] = faults;
  throw new TinyGptvError(code, sentence(fault, "request"), {
    subject: String(fault.path[0] ?? "request"),
  });
}

function overfullFault(path: readonly PropertyKey[], schema: z.ZodType, value: unknown): Fault {
  const given = valueAt(value, path);
  const count = Array.isArray(given) ? given.length : Object.keys(given as object).length;
  const got = Array.isArray(given) ? `a list of ${count}` : `an object of ${count}`;
  const want = describeWanted(schemasAt(schema, path, value));
  return { path, at: describePath(path), kind: "value", message: `want ${want}, got ${got}` };
}

function faultAt(
  path: readonly PropertyKey[],
  issue: Issue,
  schema: z.ZodType,
  value: unknown,
): Fault {
  const given = valueAt(value, path);
  const fault = { path, at: describePath(path) };
  const isUnknown = issue.code === "unrecognized_keys";
  const kind = isUnknown
    ? "unknown"
    : given === undefined && path.length > 0
      ? "missing"
      : isTypeIssue(issue)
        ? "type"
        : "value";
  return {
    ...fault,
    kind,
    // Only of the fault that is told: it takes a walk through the schema.
    get known() {
      return isUnknown ? knownNames(issue, schema, value) : undefined;
    },
    get message() {
      const want = wanted(issue, isUnknown ? issue.path : path, schema, value);
      const shown = describeValue(issue.code === "invalid_key" ? path.at(-1) : given);
      // Words of its own may tell what was given as well.
      return want.includes(", got ") ? want : `${want}, got ${shown}`;
    },
  };
}

function wanted(
  issue: Issue,
  path: readonly PropertyKey[],
  schema: z.ZodType,
  value: unknown,
): string {
  // What a schema says in words of its own is more than its type tells.
  if (issue.message.startsWith("want ")) return issue.message;
  if (issue.code === "unrecognized_keys") {
    const names = knownNames(issue, schema, value);
    return `want ${names.length > 0 ? `one of ${names.join(", ")}` : "no further names"}`;
  }
  if (issue.code === "invalid_key") return "want another name";
  return `want ${describeWanted(schemasAt(schema, path, value))}`;
}

/** Of the object that has names it may not have. */
function knownNames({ path }: Issue, schema: z.ZodType, value: unknown): string[] {
  const here = schemasAt(schema, path, value);
  return [...new Set(here.flatMap(({ properties = {} }) => Object.keys(properties)))];
}

/** A union told apart by a name has the wrong name, not the wrong type. */
function isTypeIssue(issue: Issue): boolean {
  if (issue.code === "invalid_union") return !("discriminator" in issue);
  return issue.code === "invalid_type";
}

/** In a union that fits nowhere, the branch that got furthest says best what is wrong. */
function deepest(issue: Issue): Issue {
  if (issue.code !== "invalid_union") return issue;
  const branches = issue.errors
    .flatMap(([first]) => (first === undefined ? [] : [deepest(first)]))
    .toSorted((a, b) => b.path.length - a.path.length);
  // Where all of them have the wrong type, the union says which it takes.
  const best = branches.find((branch) => branch.path.length > 0 || !isTypeIssue(branch));
  return best === undefined ? issue : { ...best, path: [...issue.path, ...best.path] };
}

/** `["rounds", 0, "prompt"]` -> `rounds[0].prompt` */
export function describePath(path: readonly PropertyKey[]): string {
  return path
    .map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`))
    .join("")
    .replace(/^\./, "");
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === "object" && inner !== null ? Reflect.get(inner, key) : undefined,
    value,
  );
}

/** Lists and objects are not shown: they may be large, and deeper than a stack. */
function describeValue(value: unknown): string {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "object" && value !== null) return "an object";
  if (typeof value === "number") return String(value);
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
