/** Request bodies against their schemas, with OpenAI's error codes. */
import type { z } from "zod";
import { check, sentence } from "@tinygptv/protocol";
import type { Fault } from "@tinygptv/protocol";
import { withoutNulls } from "@tinygptv/protocol/http";
import type { ApiErrorCode } from "@tinygptv/protocol/http";
import { HttpError } from "./errors.ts";

const codes: Readonly<Record<Fault["kind"], ApiErrorCode>> = {
  unknown: "unknown_parameter",
  missing: "missing_required_parameter",
  type: "invalid_type",
  value: "invalid_value",
};

/**
 * Checks a body. `refused` lists known parameters whose values beyond the
 * schema's are not honoured, with the reason. `null` is an absent parameter.
 *
 * @throws HttpError naming the field: invalid_type, invalid_value,
 *   missing_required_parameter, unknown_parameter or unsupported_parameter
 */
export function validate<Schema extends z.ZodType>(
  schema: Schema,
  body: unknown,
  refused: Readonly<Record<string, string>> = {},
): z.output<Schema> {
  const given = withoutNulls(body);
  const { data, faults } = check(schema, given);
  if (faults === undefined) return data;
  for (const { path } of faults) {
    const param = String(path[0]);
    if (!Object.hasOwn(refused, param)) continue;
    throw new HttpError("unsupported_parameter", `${param} is not supported: ${refused[param]}`, {
      param,
    });
  }
  const [fault] = faults;
  throw new HttpError(codes[fault.kind], sentence(fault, "request body"), {
    param: fault.at || undefined,
  });
}
