import type { Context } from "hono";
import { HttpError } from "../errors.ts";
import type { AppEnv } from "../services.ts";

/** Ends of paths that clients put behind a base URL; where one stands elsewhere, that is wrong. */
const ends = ["chat/completions", "models", "images", "compare", "score", "tokenize", "responses"];

/** What callers of OpenAI's other APIs want to know. */
const elsewhere: Readonly<Record<string, string>> = {
  "/v1/responses": "responses are not stored: want POST /v1/responses only",
  "/v1/completions": "the older Completions API is not served: want POST /v1/chat/completions",
};

/** The 404 for a path that is none, with what the caller most likely meant. */
export function answerNotFound(c: Context<AppEnv>): Response {
  const { origin, pathname } = new URL(c.req.url);
  return c.json(new HttpError("not_found", explain(c.req.method, origin, pathname)).body, 404);
}

function explain(method: string, origin: string, path: string): string {
  const known = Object.keys(elsewhere).find((one) => path === one || path.startsWith(`${one}/`));
  if (known !== undefined) return elsewhere[known]!;
  const nothing = `there is nothing at ${method} ${path.slice(0, 200)}`;
  const end = ends.find((one) => path.endsWith(`/${one}`) && path !== `/v1/${one}`);
  if (end === undefined) return nothing;
  return `${nothing}: want /v1/${end}; the base URL for clients is ${origin}/v1`;
}
