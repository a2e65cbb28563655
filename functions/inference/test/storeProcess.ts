/**
 * A process of its own that uses a file store, its lock or models in it, for tests of several
 * processes at once: `node storeProcess.ts COMMAND FOLDER …`. Says "ready" when
 * it holds what the test waits for.
 */
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { pullModel } from "../src/modelStore/index.ts";
import { fileStore } from "../src/store/fileStore.ts";
import { withFolderLock } from "../src/store/folderLock.ts";
import type { Store } from "../src/store/store.ts";

const [command, folder = "", argument = "", ...rest] = process.argv.slice(2);
const store = fileStore(folder);
const say = (line: string) => process.stdout.write(`${line}\n`);

/** Adds 1 to the number in `count`, so many times, by read, ifMatch and retry. */
async function increment(times: number): Promise<void> {
  for (let done = 0; done < times;) {
    const { body, etag } = (await store.get("count"))!;
    const next = Buffer.from(String(Number(await text(body)) + 1));
    try {
      await store.put("count", next, { ifMatch: etag });
      done += 1;
    } catch (error) {
      if ((error as { code?: string }).code !== "conflict") throw error;
    }
  }
}

/** Puts a body that never ends. */
async function stall(key: string): Promise<void> {
  await store.put(
    key,
    (async function* () {
      yield Buffer.alloc(100_000);
      say("ready");
      await sleep(60_000);
    })(),
  );
}

async function hold(staleAfter: number): Promise<void> {
  await withFolderLock(
    folder,
    async (lost) => {
      say("ready");
      await sleep(60_000, undefined, { signal: lost }).catch(() => say("lost"));
    },
    { staleAfter },
  );
}

/** Pulls a model, slowly, and says how many bytes it fetched. */
async function pull(name: string, root: string, pause: number): Promise<void> {
  let fetched = 0;
  async function* slowly(body: AsyncIterable<Uint8Array>) {
    for await (const chunk of body) {
      if (fetched === 0) say("ready");
      await sleep(pause);
      fetched += chunk.byteLength;
      yield chunk;
    }
  }
  const slow: Store = {
    ...store,
    async get(key, options) {
      const found = await store.get(key, options);
      if (!found || key.endsWith(".json")) return found;
      return { ...found, body: ReadableStream.from(slowly(found.body)) };
    },
  };
  await pullModel(slow, name, root);
  say(`fetched ${fetched}`);
}

if (command === "increment") await increment(Number(argument));
if (command === "stall") await stall(argument);
if (command === "hold") await hold(Number(argument));
if (command === "pull") await pull(argument, rest[0]!, Number(rest[1]));
