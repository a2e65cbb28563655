/**
 * A process of its own that uses a file store or its lock, for tests of several
 * processes at once: `node storeProcess.ts COMMAND FOLDER …`. Says "ready" when
 * it holds what the test waits for.
 */
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { fileStore } from "../src/store/fileStore.ts";
import { withFolderLock } from "../src/store/folderLock.ts";

const [command, folder = "", argument = ""] = process.argv.slice(2);
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

if (command === "increment") await increment(Number(argument));
if (command === "stall") await stall(argument);
if (command === "hold") await hold(Number(argument));
