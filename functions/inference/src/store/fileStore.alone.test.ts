import { mkdir, mkdtemp, open, readdir, rename, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { runProcess } from "../../test/processes.ts";
import { fileStore } from "./fileStore.ts";
import { storeContract } from "./testing/storeContract.ts";

vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof import("node:fs/promises")>();
  return { ...real, open: vi.fn<typeof real.open>(real.open) };
});

storeContract("fileStore", async () => {
  const folder = await mkdtemp(join(tmpdir(), "store-"));
  return { store: fileStore(folder), close: () => rm(folder, { recursive: true }) };
});

describe("fileStore", () => {
  const script = new URL("../../test/storeProcess.ts", import.meta.url);
  const hello = Buffer.from("hello");
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "store-"));
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await rm(folder, { recursive: true });
  });

  async function handlePrototype() {
    const handle = await open(folder, "r");
    await handle.close();
    return Object.getPrototypeOf(handle) as typeof handle;
  }

  /** Makes every handle's method fail from its nth call on, as a full disk does. */
  async function failFrom(call: number, method: "writeFile" | "sync", code: string): Promise<void> {
    const prototype = await handlePrototype();
    const original = prototype[method] as (...args: unknown[]) => Promise<void>;
    let calls = 0;
    vi.spyOn(prototype, method).mockImplementation(function (this: unknown, ...args: unknown[]) {
      calls += 1;
      if (calls >= call) return Promise.reject(Object.assign(new Error(code), { code }));
      return original.apply(this, args);
    });
  }

  it("is found again by another store over the same folder", async () => {
    await fileStore(folder).put("a/b", hello, { contentType: "text/plain" });
    const found = (await fileStore(folder).get("a/b"))!;
    expect([found.contentType, await text(found.body)]).toEqual(["text/plain", "hello"]);
  });

  it("comes back when its folder was removed, or another mounted there", async () => {
    const store = fileStore(join(folder, "store"));
    await store.put("a", hello);
    await rm(join(folder, "store"), { recursive: true });
    expect(await store.get("a")).toBeUndefined();
    await store.put("b", hello);
    await rm(join(folder, "store"), { recursive: true });
    await store.check();
    await mkdir(join(folder, "other"));
    await rm(join(folder, "store"), { recursive: true });
    await rename(join(folder, "other"), join(folder, "store"));
    await store.put("c", hello);
    expect((await store.list()).entries.map(({ key }) => key)).toEqual(["c"]);
  });

  it("says that it cannot be written where its folder is a file", async () => {
    const path = join(folder, "file");
    await writeFile(path, "");
    await expect(fileStore(path).check()).rejects.toMatchObject({
      code: "io",
      message: expect.stringMatching(/^store: cannot write .*(ENOTDIR|EEXIST)/),
    });
  });

  it("makes its folder when it first writes, and reads nothing from one that is not there", async () => {
    const store = fileStore(join(folder, "new/er"));
    expect(await store.list()).toEqual({ entries: [], cursor: undefined });
    expect(await store.get("a")).toBeUndefined();
    await store.put("a", hello);
    expect(await store.head("a")).toMatchObject({ size: 5 });
  });

  it.each([
    ["ENOSPC", "writeFile", 3, "no space left on the disk (ENOSPC)"],
    ["EDQUOT", "writeFile", 1, "the disk quota is used up (EDQUOT)"],
    ["EIO", "sync", 1, "the disk failed (EIO)"],
    ["EXDEV", "sync", 1, "EXDEV"],
  ] as const)(
    "says clearly that %s stopped a write, and leaves the old object and nothing else",
    async (code, method, call, reason) => {
      const store = fileStore(folder);
      await store.put("a", Buffer.from("old"));
      await failFrom(call, method, code);
      const body = (async function* () {
        for (let count = 0; count < 5; count++) yield hello;
      })();
      await expect(store.put("a", body)).rejects.toMatchObject({
        code: "io",
        subject: "a",
        message: `store: cannot write a: ${reason}`,
      });
      expect(await readdir(join(folder, "=new"))).toEqual([]);
      expect(await text((await store.get("a"))!.body)).toBe("old");
    },
  );

  it("closes an object's file at the end, a cancellation, an abort and an error", async () => {
    const store = fileStore(folder);
    await store.put("a", new Uint8Array(1_000_000));
    vi.mocked(open).mockClear();
    const abort = new AbortController();
    await text((await store.get("a"))!.body);
    await (await store.get("a"))!.body.cancel();
    const reader = (await store.get("a", { signal: abort.signal }))!.body.getReader();
    abort.abort();
    await expect(reader.read()).rejects.toMatchObject({ code: "aborted" });
    const { body } = (await store.get("a"))!;
    const failure = Object.assign(new Error("EIO"), { code: "EIO" });
    vi.spyOn(await handlePrototype(), "read").mockRejectedValueOnce(failure);
    await expect(text(body)).rejects.toMatchObject({
      code: "io",
      message: "store: cannot read a: the disk failed (EIO)",
    });
    const handles = await Promise.all(vi.mocked(open).mock.results.map(({ value }) => value));
    expect(handles.map(({ fd }) => fd)).toEqual([-1, -1, -1, -1, -1]); // one is of this test
  });

  it("names no path of the disk in its errors", async () => {
    await writeFile(join(folder, "file"), "");
    const store = fileStore(join(folder, "file"));
    await expect(store.put("a", hello)).rejects.toMatchObject({
      code: "io",
      message: "store: cannot write a: its folder is a file (ENOTDIR)",
    });
    await expect(store.list({ prefix: "a" })).rejects.toMatchObject({
      message: "store: cannot list a: its folder is a file (ENOTDIR)",
    });
  });

  it("says so when an object's file is damaged", async () => {
    const store = fileStore(folder);
    await writeFile(join(folder, "short="), "{}");
    await writeFile(join(folder, "long="), Buffer.alloc(2000));
    for (const key of ["short", "long"])
      await expect(store.get(key)).rejects.toMatchObject({
        code: "io",
        subject: key,
        message: expect.stringMatching(/damaged/),
      });
  });

  it("overlooks files that are not its own", async () => {
    await mkdir(join(folder, "sub"));
    for (const name of ["README", "sub/.DS_Store"]) await writeFile(join(folder, name), "");
    const store = fileStore(folder);
    await store.put("sub/a", hello);
    expect((await store.list()).entries.map(({ key }) => key)).toEqual(["sub/a"]);
    expect(await store.get("README")).toBeUndefined();
  });

  it("removes the folders that a deletion empties", async () => {
    const store = fileStore(folder);
    await store.put("a/b/c", hello);
    await store.put("a/d", hello);
    await store.delete("a/b/c");
    expect(await readdir(join(folder, "a"))).toEqual(["d="]);
    await store.delete("a/d");
    expect((await readdir(folder)).filter((name) => !name.startsWith("="))).toEqual([]);
  });

  it("orders conditional writes of several processes: no increment is lost", async () => {
    await fileStore(folder).put("count", Buffer.from("0"));
    const processes = [1, 2, 3].map(() => runProcess(script, ["increment", folder, "10"]));
    expect(await Promise.all(processes.map(({ exited }) => exited))).toEqual([0, 0, 0]);
    expect(await text((await fileStore(folder).get("count"))!.body)).toBe("30");
  });

  it("shows nothing of an upload whose process was killed, and removes its file a day later", async () => {
    const upload = runProcess(script, ["stall", folder, "half"]);
    expect(await upload.line()).toBe("ready");
    await upload.kill();
    expect((await fileStore(folder).list()).entries).toEqual([]);
    const uploads = join(folder, "=new");
    const [left] = await readdir(uploads);
    await fileStore(folder).put("a", hello);
    expect(await readdir(uploads)).toEqual([left]); // it might be another process's, still under way
    const yesterday = new Date(Date.now() - 25 * 60 * 60 * 1000);
    await utimes(join(uploads, left!), yesterday, yesterday);
    await fileStore(folder).put("a", hello);
    expect(await readdir(uploads)).toEqual([]);
  });
});
