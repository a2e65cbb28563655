/** Short forms for what OpenAPI wants to know of a route. */
import type { MiddlewareHandler } from "hono";
import { describeRoute, resolver } from "hono-openapi";
import type { DescribeRouteOptions } from "hono-openapi";
import type { z } from "zod";
import { apiErrorSchema, errorCodes } from "@tinygptv/protocol/http";

type Content = Record<string, { schema: ReturnType<typeof resolver> }>;

export const json = (schema: z.ZodType): Content => ({
  "application/json": { schema: resolver(schema) },
});

export const events = (schema: z.ZodType): Content => ({
  "text/event-stream": { schema: resolver(schema) },
});

export const jsonBody = (schema: z.ZodType) => ({ required: true, content: json(schema) });

/** Statuses of errors that any route can answer with, those with a body, those of one object, those that make the engine work. */
const anyRoute = [400, 401, 403, 405, 429, 500, 503];
const withBody = [408, 413, 415];
const ofObject = [404];
const ofEngine = [504];

/** The codes of a status, as its description. */
const codesOf = (status: number): string =>
  Object.entries(errorCodes)
    .flatMap(([code, [its]]) => (its === status ? [`\`${code}\``] : []))
    .join(", ");

export const errorResponses = (...statuses: number[]) =>
  Object.fromEntries(
    statuses.map((status) => [
      status,
      { description: codesOf(status), content: json(apiErrorSchema) },
    ]),
  );

export interface RouteDescription extends DescribeRouteOptions {
  /** Whether it can say that there is nothing of the name given. */
  readonly missing?: boolean;
}

/** Documents a route, with the errors it can answer with. */
export function documented({ missing = false, ...options }: RouteDescription): MiddlewareHandler {
  const statuses = [
    ...anyRoute,
    ...(options.requestBody ? [...withBody, ...ofEngine] : []),
    ...(missing ? ofObject : []),
  ];
  return describeRoute({
    ...options,
    responses: { ...errorResponses(...statuses), ...options.responses },
  });
}
