/** Errors of the edge itself, in the shape that origins use: OpenAI's. */
import { errorCodes } from "@tinygptv/protocol/http";
import type { ApiError, ApiErrorCode } from "@tinygptv/protocol/http";

interface ErrorOptions {
  param?: string;
  headers?: Record<string, string>;
}

export function errorBody(code: ApiErrorCode, message: string, param?: string): ApiError {
  return { error: { message, type: errorCodes[code][1], param: param ?? null, code } };
}

export function errorResponse(
  code: ApiErrorCode,
  message: string,
  { param, headers }: ErrorOptions = {},
): Response {
  return Response.json(errorBody(code, message, param), { status: errorCodes[code][0], headers });
}
