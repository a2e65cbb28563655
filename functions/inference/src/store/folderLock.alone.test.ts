import { mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { runProcess } from "../../test/processes.ts";
import { withFolderLock } from "./folderLock.ts";

vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof import("node:fs/promises")>();
  return { ...real, readdir: vi.fn<typeof real.readdir>(real.readdir) };
});

const script = new URL("../../test/storeProcess.ts", import.meta.url);
const quick = { staleAfter: 300, pollEvery: 5 };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lock-"));
});
afterEach(() => rm(folder, { recursive: true }));

it("lets one in at a time, all of them in the end", async () => {
  let inside = 0;
  let most = 0;
  let done = 0;
  const action = async () => {
    most = Math.max(most, ++inside);
    await sleep(2);
    inside -= 1;
    done += 1;
  };
  await Promise.all(
    Array.from({ length: 12 }, () => withFolderLock(folder, action, { pollEvery: 1 })),
  );
  expect([most, done]).toEqual([1, 12]);
  expect((await readdir(folder)).length).toBe(1);
});

it("returns what the action returns, and is free after one that throws", async () => {
  expect(await withFolderLock(folder, async () => "result")).toBe("result");
  await expect(withFolderLock(folder, () => Promise.reject(new Error("inside")))).rejects.toThrow(
    "inside",
  );
  expect(await withFolderLock(folder, async () => "free", quick)).toBe("free");
});

it("is kept alive by its holder for longer than the time after which it goes stale", async () => {
  const order: string[] = [];
  const first = withFolderLock(
    folder,
    async () => {
      await sleep(quick.staleAfter * 2);
      order.push("first");
    },
    quick,
  );
  await sleep(20);
  await withFolderLock(folder, async () => void order.push("second"), quick);
  await first;
  expect(order).toEqual(["first", "second"]);
});

it("stops waiting when the caller gives up", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const held = withFolderLock(folder, () => promise);
  await sleep(20);
  const waiting = withFolderLock(folder, async () => {}, {
    pollEvery: 5,
    signal: AbortSignal.timeout(30),
  });
  await expect(waiting).rejects.toMatchObject({ code: "aborted" });
  resolve();
  await held;
});

it("passes from a process that was killed to the next one", async () => {
  const holder = runProcess(script, ["hold", folder, "300"]);
  expect(await holder.line()).toBe("ready");
  let entered = false;
  const next = withFolderLock(folder, async () => (entered = true), quick);
  await sleep(quick.staleAfter * 2);
  expect(entered).toBe(false);
  await holder.kill();
  await next;
  expect(entered).toBe(true);
});

it("tells a holder that was suspended for too long that it lost the lock", async () => {
  const holder = runProcess(script, ["hold", folder, "300"]);
  expect(await holder.line()).toBe("ready");
  holder.child.kill("SIGSTOP");
  await withFolderLock(folder, async () => {}, quick);
  holder.child.kill("SIGCONT");
  expect(await holder.line()).toBe("lost");
  await holder.kill();
});

it("yields when it comes late with a number that others have passed", async () => {
  const order: string[] = [];
  await writeFile(join(folder, "3"), "another process");
  vi.mocked(readdir).mockResolvedValueOnce(["1"] as never); // seen before 2 and 3 were there
  const late = withFolderLock(folder, async () => order.push("entered"), { pollEvery: 1 });
  await sleep(50);
  order.push("released");
  await utimes(join(folder, "3"), 0, 0);
  await late;
  expect(order).toEqual(["released", "entered"]);
  expect(await readdir(folder)).toEqual(["4"]);
});
