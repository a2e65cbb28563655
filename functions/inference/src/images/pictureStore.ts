/** Uploaded pictures: content-addressed, so the same picture is kept once. */
import { createHash } from "node:crypto";
import { TinyGptvError } from "@tinygptv/protocol";
import { imageIdPattern } from "@tinygptv/protocol/http";
import type { ImageType } from "@tinygptv/protocol/http";
import type { Store, StoredBody } from "../store/store.ts";

const prefix = "img_";

export function pictureId(bytes: Uint8Array): string {
  return prefix + createHash("sha256").update(bytes).digest("hex");
}

/** Only ids of the exact form become keys: nothing of a caller's text reaches the store otherwise. */
function keyOf(id: string): string | undefined {
  return imageIdPattern.test(id) ? `images/${id.slice(prefix.length)}` : undefined;
}

/** Keeps a picture; `created` is false where it was there already. */
export async function putPicture(
  store: Store,
  bytes: Uint8Array,
  contentType: ImageType,
  signal: AbortSignal,
): Promise<{ id: string; created: boolean }> {
  const id = pictureId(bytes);
  try {
    await store.put(keyOf(id)!, bytes, { contentType, ifNoneMatch: "*", signal });
    return { id, created: true };
  } catch (error) {
    if (error instanceof TinyGptvError && error.code === "conflict") return { id, created: false };
    throw error;
  }
}

/** An uploaded picture; undefined where there is none, or the id is none. */
export async function getPicture(
  store: Store,
  id: string,
  signal: AbortSignal,
): Promise<StoredBody | undefined> {
  const key = keyOf(id);
  return key === undefined ? undefined : store.get(key, { signal });
}

/** False where there was nothing to delete. */
export async function deletePicture(
  store: Store,
  id: string,
  signal: AbortSignal,
): Promise<boolean> {
  const key = keyOf(id);
  if (key === undefined || !(await store.head(key, { signal }))) return false;
  await store.delete(key, { signal });
  return true;
}
