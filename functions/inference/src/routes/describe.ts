/** Short forms for what OpenAPI wants to know of a route. */
import type { MiddlewareHandler } from "hono";
import { describeRoute, resolver } from "hono-openapi";
import type { DescribeRouteOptions } from "hono-openapi";
import type { z } from "zod";
import { apiErrorSchema } from "@tinygptv/protocol/http";

type Content = Record<string, { schema: ReturnType<typeof resolver> }>;

export const json = (schema: z.ZodType): Content => ({
  "application/json": { schema: resolver(schema) },
});

export const events = (schema: z.ZodType): Content => ({
  "text/event-stream": { schema: resolver(schema) },
});

export const jsonBody = (schema: z.ZodType) => ({ required: true, content: json(schema) });

/** Documents a route. Every one can answer with the error object, so that is added here. */
export function documented(options: DescribeRouteOptions): MiddlewareHandler {
  const anyError = { description: "An error", content: json(apiErrorSchema) };
  return describeRoute({ ...options, responses: { ...options.responses, default: anyError } });
}
