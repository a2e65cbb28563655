import { createHash, timingSafeEqual } from "node:crypto";
import type { MiddlewareHandler } from "hono";
import { bearerAuth } from "hono/bearer-auth";
import { HttpError } from "../errors.ts";
import type { AppEnv } from "../services.ts";

/**
 * Bearer keys. Every key is compared, in constant time, so that an answer's
 * time says nothing about them. Without keys everybody is `local`: the server
 * then listens on loopback only, see `middleware/origin.ts`.
 */
export function authenticate(keys: readonly string[]): MiddlewareHandler<AppEnv> {
  if (keys.length === 0)
    return async (c, next) => {
      c.set("caller", "local");
      await next();
    };
  const digests = keys.map(sha256);
  const refuse = (text: string) => ({
    message: () => Response.json(new HttpError("invalid_api_key", text).body, { status: 401 }),
  });
  return bearerAuth<AppEnv>({
    verifyToken: (token, c) => {
      const given = sha256(token);
      const matches = digests.map((digest) => timingSafeEqual(digest, given));
      const index = matches.indexOf(true);
      if (index >= 0) c.set("caller", `key-${index + 1}`);
      return index >= 0;
    },
    noAuthenticationHeader: refuse("authorization: want `Bearer <key>`, got no such header"),
    invalidAuthenticationHeader: refuse("authorization: want `Bearer <key>`"),
    invalidToken: refuse("authorization: this key is not valid"),
  });
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
