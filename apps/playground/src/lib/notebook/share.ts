import { notebookCreatedSchema, notebookObjectSchema } from "tinygptv/http";
import { packNotebook, unpackNotebook, type Notebook, type Output } from "tinygptv/notebook";
import { endpointFetch, postJson, type Endpoint } from "#lib/client/http.ts";
import type { NotebookState } from "#lib/state/notebook.svelte.ts";
import { keepPicture, readPicture } from "#lib/storage/pictures.ts";

/** Stores a read-only copy with its outputs and pictures at an endpoint; returns its address. */
export async function share(endpoint: Endpoint, notebook: NotebookState): Promise<string> {
  const { markdown, files } = await packNotebook(
    notebook.snapshot(),
    notebook.outputOf,
    readPicture,
  );
  const encoded = Object.fromEntries([...files].map(([name, bytes]) => [name, toBase64(bytes)]));
  const response = await postJson(endpointFetch(endpoint), "/v1/notebooks", {
    title: notebook.title,
    markdown,
    files: encoded,
  });
  const link = new URL(`/s/${notebookCreatedSchema.parse(await response.json()).id}`, location.href);
  // Whoever opens the link asks this server, unless it says where the copy is.
  if (endpoint.baseUrl !== "") link.searchParams.set("endpoint", endpoint.baseUrl);
  return link.href;
}

/** @param baseUrl where the copy is, "" for this server; reading one takes no key */
export async function fetchShared(
  baseUrl: string,
  id: string,
): Promise<{ notebook: Notebook; outputs: Map<string, Output> }> {
  const fetchApi = endpointFetch({ baseUrl, key: "" });
  const response = await fetchApi(`/v1/notebooks/${encodeURIComponent(id)}`);
  const { markdown, files } = notebookObjectSchema.parse(await response.json());
  const content = new Map(
    Object.entries(files).map(([name, base64]) => [name, fromBase64(base64)]),
  );
  await keepPictures(markdown, content);
  return unpackNotebook(markdown, `${id}.md`, (name) => Promise.resolve(content.get(name)));
}

/** Puts the pictures of a side folder where picture cells find them. */
export async function keepPictures(
  markdown: string,
  files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>,
): Promise<void> {
  const named = new Set(
    [...markdown.matchAll(/^file: "?(sha256:[0-9a-f]{64})"?$/gm)].map(
      (match) => match[1]?.replace(":", "-") ?? "",
    ),
  );
  for (const [name, bytes] of files) if (named.has(name)) await keepPicture(bytes);
}

function toBase64(bytes: Uint8Array): string {
  let binary = "";
  for (let i = 0; i < bytes.length; i += 0x8000)
    binary += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(binary);
}

const fromBase64 = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
