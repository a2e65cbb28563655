/** The levels of a model behind an address, and which files a page needs of each. */
import { manifestName, parseManifest } from "@tinygptv/model";
import type { Manifest } from "@tinygptv/model";
import { TinyGptvError } from "@tinygptv/protocol";
import { graphsOf } from "../engine/parts.ts";
import type { FileStore, RemoteFile } from "./store.ts";

/** A converted model behind an address. */
export interface RemoteModel {
  /** Ends with a slash. */
  readonly address: string;
  readonly manifest: Manifest;
}

/**
 * Reads a model's manifest: as the server has it now, or else as it was kept.
 * @throws TinyGptvError "network" where nobody answers and none was kept, "model"
 */
export async function findModel(address: string, store: FileStore): Promise<RemoteModel> {
  const base = address.endsWith("/") ? address : `${address}/`;
  const url = base + manifestName;
  const name = `${encodeURIComponent(base)}.json`;
  const response = await fetch(url, { cache: "no-cache" }).catch((error: unknown) => error);
  if (response instanceof Response && response.ok) {
    const text = await response.text();
    const manifest = parseManifest(text, url);
    await store.keepText(name, text);
    return { address: base, manifest };
  }
  const kept = await store.readText(name);
  if (kept !== undefined) return { address: base, manifest: parseManifest(kept, url) };
  const got = response instanceof Response ? `status ${response.status}` : "no answer";
  throw new TinyGptvError("network", `${url}: want the manifest of a converted model, got ${got}`);
}

/** A file of a model as the store takes it. @throws TinyGptvError "model" where the manifest lists none of the path */
export function fileOf({ address, manifest }: RemoteModel, path: string): RemoteFile {
  const file = manifest.files.find((one) => one.path === path);
  if (!file)
    throw new TinyGptvError("model", `${address}${path}: want a file of the manifest, got none`);
  return { url: address + path, bytes: file.bytes, sha256: file.sha256 };
}

/** What a level consists of: graphs with their weights, token embeddings, the tokenizer. */
export function filesOf(model: RemoteModel, level: string): RemoteFile[] {
  const { manifest } = model;
  const listed = new Set(manifest.files.map(({ path }) => path));
  const graphs = Object.values(graphsOf(manifest, level));
  const whole = `${manifest.tokenizer}/tokenizer.json`;
  // An older folder has the tokenizer in several files.
  const tokenizer = listed.has(whole)
    ? [whole]
    : [...listed].filter((path) => path.startsWith(`${manifest.tokenizer}/`));
  const paths = [
    ...graphs.flatMap((path) => [path, `${path}.data`]),
    manifest.embeddings.file,
    ...tokenizer,
  ];
  return [...new Set(paths)].filter((path) => listed.has(path)).map((path) => fileOf(model, path));
}
