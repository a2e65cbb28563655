import { createHash } from "node:crypto";
import { text } from "node:stream/consumers";
import { parseManifest } from "@tinygptv/model";
import type { Manifest } from "@tinygptv/model";
import { TinyGptvError } from "@tinygptv/protocol";
import { retry } from "@tinygptv/transfer";
import type { RetryOptions } from "@tinygptv/transfer";
import type { Store } from "../store/store.ts";
import { manifestKey } from "./keys.ts";
import { interrupted } from "./storeSource.ts";

/** Far more than any manifest has: a bound on what is held in memory. */
const maxBytes = 16 * 1024 * 1024;

export interface StoredManifest {
  manifest: Manifest;
  /** Its text, as it was pushed. */
  json: string;
  /** Names this version: the beginning of the text's sha256. */
  version: string;
}

export async function fetchManifest(
  store: Store,
  name: string,
  options: RetryOptions,
): Promise<StoredManifest> {
  const key = manifestKey(name);
  const wrong = (got: string) =>
    new TinyGptvError("model", `${name}: want a manifest in the store (${key}), got ${got}`, {
      subject: name,
    });
  const read = async () => {
    const found = await store.get(key, { ...(options.signal && { signal: options.signal }) });
    if (!found) throw wrong("none; push the model first");
    if (found.size > maxBytes) {
      await found.body.cancel();
      throw wrong(`${found.size} bytes`);
    }
    return text(found.body);
  };
  const attempt = () =>
    read().catch((error: unknown) => {
      throw interrupted(error);
    });
  const json = await retry(`${name}: want a manifest in the store (${key})`, attempt, options);
  const manifest = parseManifest(json, key);
  if (manifest.name !== name) throw wrong(`that of ${manifest.name}`);
  return {
    manifest,
    json,
    version: createHash("sha256").update(json).digest("hex").slice(0, 16),
  };
}
