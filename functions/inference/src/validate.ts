/** Request bodies against their schemas, with OpenAI's error codes. */
import type { z } from "zod";
import type { ApiErrorCode } from "@tinygptv/protocol/http";
import { HttpError } from "./errors.ts";

type Issue = z.core.$ZodIssue;

/**
 * Checks a body. `unsupported` lists known parameters that are refused, with
 * the reason. A `null` at the top level is an absent parameter, as with OpenAI.
 *
 * @throws HttpError naming the field: invalid_type, invalid_value,
 *   missing_required_parameter, unknown_parameter or unsupported_parameter
 */
export function validate<Schema extends z.ZodType>(
  schema: Schema,
  body: unknown,
  unsupported: Readonly<Record<string, string>> = {},
): z.output<Schema> {
  const given = isRecord(body) ? withoutNulls(body) : body;
  if (isRecord(given)) {
    const name = Object.keys(given).find((key) => Object.hasOwn(unsupported, key));
    if (name !== undefined)
      throw new HttpError(
        "unsupported_parameter",
        `${name} is not supported: ${unsupported[name]}`,
        {
          param: name,
        },
      );
  }
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  throw fromIssue(deepest(result.error.issues[0]!), given);
}

function fromIssue(issue: Issue, body: unknown): HttpError {
  if (issue.code === "unrecognized_keys") {
    const param = pathText([...issue.path, issue.keys[0]!]);
    return new HttpError("unknown_parameter", `${param}: unknown parameter`, { param });
  }
  const got = valueAt(body, issue.path);
  const param = pathText(issue.path);
  const named = param === "" ? "request body" : param;
  if (got === undefined && param !== "")
    return new HttpError("missing_required_parameter", `${param}: required`, { param });
  return new HttpError(codeOf(issue), `${named}: ${issue.message}, got ${shown(got)}`, {
    param: param === "" ? undefined : param,
  });
}

function codeOf(issue: Issue): ApiErrorCode {
  const typed =
    issue.code === "invalid_type" ||
    (issue.code === "invalid_union" && !("discriminator" in issue));
  return typed ? "invalid_type" : "invalid_value";
}

/** In a union that fits nowhere, the branch that got furthest says best what is wrong. */
function deepest(issue: Issue): Issue {
  if (issue.code !== "invalid_union" || issue.errors.length === 0) return issue;
  const branches = issue.errors
    .map((issues) => deepest(issues[0]!))
    .toSorted(
      (a, b) => b.path.length - a.path.length || Number(isTypeIssue(a)) - Number(isTypeIssue(b)),
    );
  const best = branches[0]!;
  // Where no branch accepts even the type, all that are wanted are named.
  if (isTypeIssue(best) && best.path.length === 0)
    return { ...issue, message: branches.map((branch) => branch.message).join(" or ") };
  return { ...best, path: [...issue.path, ...best.path] };
}

function isTypeIssue({ code }: Issue): boolean {
  return code === "invalid_type";
}

/** `["messages", 0, "content"]` -> `messages[0].content` */
function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((key, index) =>
      typeof key === "number" ? `[${key}]` : `${index ? "." : ""}${String(key)}`,
    )
    .join("");
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, key) => (isObject(inner) ? Reflect.get(inner, key) : undefined),
    value,
  );
}

/** Lists and objects are not shown: they may be large, and deeper than a stack. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (isObject(value)) return "an object";
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function withoutNulls(body: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return isObject(value) && !Array.isArray(value);
}
