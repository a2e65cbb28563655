import { createHash, timingSafeEqual } from "node:crypto";
import type { MiddlewareHandler } from "hono";
import { bearerAuth } from "hono/bearer-auth";
import type { Config } from "../config.ts";
import { HttpError } from "../errors.ts";
import type { AppEnv } from "../services.ts";

/** Who keeps what is kept where keys share it, or there are none. */
const everybody = "all";

/**
 * Bearer keys. Every key is compared, in constant time, so that an answer's
 * time says nothing about them. Without keys everybody is `local`: the server
 * then listens on loopback only, see `middleware/origin.ts`.
 */
export function authenticate({
  keys,
  shareStore,
}: Pick<Config, "keys" | "shareStore">): MiddlewareHandler<AppEnv> {
  if (keys.length === 0)
    return async (c, next) => {
      c.set("caller", "local");
      c.set("tenant", everybody);
      await next();
    };
  const digests = keys.map(sha256);
  // By the key itself and not by its place: keys come and go, what they keep stays theirs.
  const tenants = digests.map((digest) => digest.toString("hex").slice(0, 32));
  const refuse = (text: string) => ({
    message: () => Response.json(new HttpError("invalid_api_key", text).body, { status: 401 }),
  });
  return bearerAuth<AppEnv>({
    verifyToken: (token, c) => {
      const given = sha256(token);
      const matches = digests.map((digest) => timingSafeEqual(digest, given));
      const index = matches.indexOf(true);
      if (index < 0) return false;
      c.set("caller", `key-${index + 1}`);
      c.set("tenant", shareStore ? everybody : tenants[index]!);
      return true;
    },
    noAuthenticationHeader: refuse("authorization: want `Bearer <key>`, got no such header"),
    invalidAuthenticationHeader: refuse("authorization: want `Bearer <key>`"),
    invalidToken: refuse("authorization: this key is not valid"),
  });
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
