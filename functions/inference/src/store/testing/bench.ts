import { text } from "node:stream/consumers";
import { afterEach, beforeEach } from "vitest";
import { listAll, type Store } from "../store.ts";

/** Makes an empty store, and what closes it. */
export type OpenStore = () => Promise<{ store: Store; close(): Promise<void> }>;

export interface Bench {
  /** A new one for each test. */
  readonly store: Store;
}

export function setUpBench(open: OpenStore): Bench {
  let opened: Awaited<ReturnType<OpenStore>>;
  beforeEach(async () => {
    opened = await open();
  });
  afterEach(() => opened.close());
  return {
    get store() {
      return opened.store;
    },
  };
}

export const bytes = (content: string): Uint8Array => new TextEncoder().encode(content);

export async function* pieces(...parts: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield typeof part === "string" ? bytes(part) : part;
}

export async function readText(
  store: Store,
  key: string,
  start?: number,
): Promise<string | undefined> {
  const found = await store.get(key, { start });
  return found && text(found.body);
}

export async function keysOf(store: Store, prefix: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of listAll(store, prefix)) found.push(key);
  return found;
}

/** "written" or the error's code, of each call. */
export const codes = (results: PromiseSettledResult<unknown>[]): string[] =>
  results
    .map((result) => (result.status === "fulfilled" ? "written" : result.reason.code))
    .toSorted();
