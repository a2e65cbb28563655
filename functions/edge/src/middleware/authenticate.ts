import type { MiddlewareHandler } from "hono";
import type { EdgeEnv } from "../edgeEnv.ts";
import { errorResponse } from "../errors.ts";
import type { Keyring } from "../keyring.ts";

/** Lets those with a key of ours through, and notes whose it is. */
export function authenticate(find: Keyring): MiddlewareHandler<EdgeEnv> {
  return async (c, next) => {
    const [, token] = /^Bearer +(\S+)$/i.exec(c.req.header("authorization") ?? "") ?? [];
    const caller = token === undefined ? undefined : await find(token);
    if (!caller) {
      const got = token === undefined ? "want `Bearer <key>`" : "this key is not valid";
      const headers = { "www-authenticate": "Bearer" };
      return errorResponse("invalid_api_key", `authorization: ${got}`, { headers });
    }
    c.set("caller", caller);
    return next();
  };
}
