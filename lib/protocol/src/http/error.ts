import { z } from "zod";

/**
 * The shape of every error, OpenAI's: clients decide by `code`, people read
 * `message`, `param` names the field or parameter at fault. In a stream the
 * same object arrives as the last `data:` line, without a `[DONE]` after it.
 */
export const apiErrorSchema = z
  .object({
    error: z.object({
      message: z.string(),
      type: z.enum([
        "invalid_request_error",
        "authentication_error",
        "permission_error",
        "not_found_error",
        "rate_limit_error",
        "overloaded_error",
        "server_error",
      ]),
      param: z.string().nullable(),
      code: z.string(),
    }),
  })
  .meta({ id: "Error" });
export type ApiError = z.infer<typeof apiErrorSchema>;

/**
 * Every code the endpoint answers with, its HTTP status and error type. 429
 * and 503 come with a `Retry-After` header.
 */
export const errorCodes = {
  invalid_request: [400, "invalid_request_error"],
  invalid_json: [400, "invalid_request_error"],
  missing_required_parameter: [400, "invalid_request_error"],
  invalid_type: [400, "invalid_request_error"],
  invalid_value: [400, "invalid_request_error"],
  unknown_parameter: [400, "invalid_request_error"],
  unsupported_parameter: [400, "invalid_request_error"],
  invalid_prompt: [400, "invalid_request_error"],
  context_length_exceeded: [400, "invalid_request_error"],
  invalid_image: [400, "invalid_request_error"],
  invalid_image_url: [400, "invalid_request_error"],
  image_url_refused: [400, "invalid_request_error"],
  image_url_unreachable: [400, "invalid_request_error"],
  invalid_api_key: [401, "authentication_error"],
  origin_not_allowed: [403, "permission_error"],
  training_not_allowed: [403, "permission_error"],
  not_found: [404, "not_found_error"],
  model_not_found: [404, "not_found_error"],
  image_not_found: [404, "not_found_error"],
  notebook_not_found: [404, "not_found_error"],
  job_not_found: [404, "not_found_error"],
  method_not_allowed: [405, "invalid_request_error"],
  request_timeout: [408, "invalid_request_error"],
  request_too_large: [413, "invalid_request_error"],
  image_too_large: [413, "invalid_request_error"],
  unsupported_media_type: [415, "invalid_request_error"],
  expectation_failed: [417, "invalid_request_error"],
  idempotency_key_reused: [422, "invalid_request_error"],
  headers_too_large: [431, "invalid_request_error"],
  too_many_requests: [429, "rate_limit_error"],
  client_closed_request: [499, "invalid_request_error"],
  internal_error: [500, "server_error"],
  storage_failed: [500, "server_error"],
  storage_full: [507, "server_error"],
  model_unavailable: [503, "server_error"],
  engine_failed: [503, "server_error"],
  queue_full: [503, "overloaded_error"],
  shutting_down: [503, "overloaded_error"],
  origin_unavailable: [503, "server_error"], // the edge function's: no inference function answers
  generation_timeout: [504, "server_error"],
} as const satisfies Record<string, readonly [number, ApiError["error"]["type"]]>;
export type ApiErrorCode = keyof typeof errorCodes;
