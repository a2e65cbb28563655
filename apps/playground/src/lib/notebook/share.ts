import {
  contentHash,
  fromBase64,
  keptIn,
  keptName,
  packNotebook,
  sideFileName,
  toBase64,
  unpackNotebook,
} from "@tinygptv/notebook";
import type { Notebook, OpenedNotebook, Remark } from "@tinygptv/notebook";
import { notebookCreatedSchema, notebookObjectSchema } from "@tinygptv/protocol/http";
import { endpointFetch, type Endpoint } from "#lib/client/http.ts";
import type { NotebookState } from "#lib/state/notebook.svelte.ts";
import { keepPicture, readPicture } from "#lib/storage/pictures.ts";

/**
 * Stores a read-only copy with its outputs and pictures at an endpoint; returns its address.
 * @param attemptOf the same for attempts at one copy: where the answer to one was lost, the next makes no second
 */
export async function share(
  endpoint: Endpoint,
  notebook: NotebookState,
  attemptOf: string,
): Promise<string> {
  const { markdown, files } = await packNotebook(
    notebook.snapshot(),
    notebook.outputOf,
    readPicture,
  );
  const encoded = Object.fromEntries([...files].map(([name, bytes]) => [name, toBase64(bytes)]));
  const body = JSON.stringify({ title: notebook.title, markdown, files: encoded });
  const response = await endpointFetch(endpoint)("/v1/notebooks", {
    method: "POST",
    headers: {
      "content-type": "application/json",
      // What has changed meanwhile is another upload.
      "idempotency-key": `${attemptOf}-${contentHash(body)}`,
    },
    body,
  });
  const link = new URL(
    `/s/${notebookCreatedSchema.parse(await response.json()).id}`,
    location.href,
  );
  // Whoever opens the link asks this server, unless it says where the copy is.
  if (endpoint.baseUrl !== "") link.searchParams.set("endpoint", endpoint.baseUrl);
  return link.href;
}

/** @param baseUrl where the copy is, "" for this server; reading one takes no key */
export async function fetchShared(baseUrl: string, id: string): Promise<OpenedNotebook> {
  const fetchApi = endpointFetch({ baseUrl, key: "" });
  const response = await fetchApi(`/v1/notebooks/${encodeURIComponent(id)}`);
  const { markdown, files } = notebookObjectSchema.parse(await response.json());
  const content = new Map(
    Object.entries(files).map(([name, base64]) => [name, fromBase64(base64)]),
  );
  const opened = await unpackNotebook(markdown, `${id}.md`, (name) =>
    Promise.resolve(content.get(name)),
  );
  opened.remarks.push(...(await keepPictures(opened.notebook, content)));
  return opened;
}

/**
 * Puts the pictures of a side folder where cells find them.
 * @returns what is said of those that are not what their names say; they are left out
 */
export async function keepPictures(
  { cells }: Notebook,
  files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>,
): Promise<Remark[]> {
  const remarks: Remark[] = [];
  for (const file of new Set(cells.flatMap(keptIn))) {
    const name = sideFileName(file);
    const bytes = files.get(name);
    if (bytes === undefined) continue;
    if (keptName(contentHash(bytes)) === file) await keepPicture(bytes);
    else {
      const message = "this picture is not what its name says, and is left out";
      remarks.push({ kind: "note", place: name, message });
    }
  }
  return remarks;
}
