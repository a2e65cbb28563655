/** Errors of the edge itself, in the shape that origins use: OpenAI's. */
import { errorCodes } from "@tinygptv/protocol/http";
import type { ApiError, ApiErrorCode } from "@tinygptv/protocol/http";
import { BodyTooLarge } from "./body.ts";

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

/** What a body that could not be read to its end means. */
export function bodyError(failure: unknown): Response {
  return failure instanceof BodyTooLarge
    ? errorResponse("request_too_large", `body: ${failure.message}`)
    : errorResponse("client_closed_request", "body: the connection ended before the body did");
}
