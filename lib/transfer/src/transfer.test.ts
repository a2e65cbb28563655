import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { httpSource } from "./httpSource.ts";
import { fileServer } from "./testing/fileServer.ts";
import type { Fault, ServedFile } from "./testing/fileServer.ts";
import type { Source } from "./source.ts";
import { transfer } from "./transfer.ts";
import type { TransferOptions } from "./transfer.ts";

let root = "";
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "transfer-"));
});
afterAll(() => rm(root, { recursive: true }));
const folder = { path: (...names: string[]) => join(root, ...names) };
const server = fileServer();
let count = 0;

/** A new file on the server and the place it is downloaded to. */
function serve(faults: Fault[] = [], more: Partial<ServedFile> = {}) {
  const name = `file${++count}`;
  const content = randomBytes(20_000);
  const target = folder.path(name, "file.bin");
  const partPath = `${target}.part`;
  const file: ServedFile = { content, faults, etag: `"${name}"`, partPath, ...more };
  server.files.set(name, file);
  const reasons: string[] = [];
  return {
    file,
    target,
    reasons,
    sha256: createHash("sha256").update(content).digest("hex"),
    ranges: () => server.requests.filter(({ path }) => path === name).map(({ range }) => range),
    transfer: (options: Partial<TransferOptions> = {}) =>
      transfer({
        source: httpSource(server.url(name)),
        target,
        retryDelay: () => 1,
        onRetry: (reason) => reasons.push(reason),
        ...options,
      }),
  };
}

describe("a transfer", () => {
  it("arrives whole, with its checksum, and leaves nothing else", async () => {
    const one = serve();
    const onProgress = vi.fn<(done: number, total: number | undefined) => void>();
    const { sha256 } = one;
    expect(await one.transfer({ sha256, onProgress })).toEqual({ sha256, bytes: 20_000 });
    expect(await readFile(one.target)).toEqual(one.file.content);
    expect(await readdir(dirname(one.target))).toEqual(["file.bin"]);
    expect(onProgress).toHaveBeenLastCalledWith(20_000, 20_000);
  });

  it.each<[string, Fault[], (string | undefined)[]]>([
    [
      "dropped connections",
      [{ dropAfter: 7000 }, { dropAfter: 6000 }],
      [undefined, "bytes=7000-", "bytes=13000-"],
    ],
    [
      "a server that ignores ranges",
      [{ dropAfter: 7000 }, { ignoresRange: true }],
      [undefined, "bytes=7000-"],
    ],
    [
      "a server that sends another range",
      [{ dropAfter: 7000 }, { wrongRange: true }],
      [undefined, "bytes=7000-", undefined],
    ],
    ["a stalled connection", [{ stallAfter: 7000 }], [undefined, "bytes=7000-"]],
    ["a slow server", [{ isSlow: true }], [undefined]],
    [
      "a busy server",
      [{ status: 503 }, { status: 429, headers: { "retry-after": "0" } }],
      [undefined, undefined, undefined],
    ],
    ["a length announced too large", [{ lengthError: 500 }], [undefined, "bytes=20000-"]],
  ])("survives %s", async (_, faults, ranges) => {
    const one = serve(faults);
    await one.transfer({ sha256: one.sha256, stallTimeout: 300 });
    expect(await readFile(one.target)).toEqual(one.file.content);
    expect(one.ranges()).toEqual(ranges);
  });

  it("starts anew when the file on the server is another one", async () => {
    const one = serve([{ dropAfter: 7000 }]);
    const retryDelay = () => {
      one.file.content = randomBytes(15_000);
      one.file.etag = '"changed"';
      return 1;
    };
    await one.transfer({ retryDelay });
    expect(await readFile(one.target)).toEqual(one.file.content);
  });

  it("starts anew where nothing says that the file is still the same", async () => {
    const one = serve([{ dropAfter: 7000 }], { etag: 'W/"weak"' });
    await one.transfer();
    expect(one.ranges()).toEqual([undefined, undefined]);
    expect(await readFile(one.target)).toEqual(one.file.content);
  });

  it("goes on where an earlier program ended", async () => {
    const one = serve([{ dropAfter: 7000 }]);
    const controller = new AbortController();
    const onRetry = () => controller.abort();
    await expect(one.transfer({ onRetry, signal: controller.signal })).rejects.toMatchObject({
      code: "aborted",
    });
    expect(await readFile(`${one.target}.part`)).toEqual(one.file.content.subarray(0, 7000));
    await one.transfer({ sha256: one.sha256 });
    expect(one.ranges()).toEqual([undefined, "bytes=7000-"]);
  });

  it("fetches again what has a wrong checksum", async () => {
    const one = serve([{ corrupts: true }, { corrupts: true }]);
    const { sha256 } = one;
    expect(await one.transfer({ sha256 })).toMatchObject({ sha256 });
    expect(one.reasons).toEqual(
      Array(2).fill(expect.stringMatching(/^sha256: want \w+, got \w+$/)),
    );
    expect(await readFile(one.target)).toEqual(one.file.content);
  });
});

describe("a transfer fails", () => {
  it("when the checksum is wrong three times, and keeps nothing", async () => {
    const one = serve([{ corrupts: true }, { corrupts: true }, { corrupts: true }]);
    await expect(one.transfer({ sha256: one.sha256 })).rejects.toMatchObject({
      code: "network",
      message: expect.stringMatching(/sha256: want \w+, got \w+, in 3 copies$/),
    });
    expect(await readdir(dirname(one.target))).toEqual([]);
  });

  it("where there is no such file", async () => {
    const one = serve();
    const url = server.url("gone");
    await expect(one.transfer({ source: httpSource(url) })).rejects.toMatchObject({
      code: "network",
      message: `${url}: want the file, got HTTP 404 Not Found`,
    });
  });

  it("where the file has another size than was published", async () => {
    const one = serve();
    await expect(one.transfer({ bytes: 543_640_119 })).rejects.toMatchObject({
      code: "network",
      message: expect.stringMatching(/want 543640119 bytes, got 20000$/),
    });
    expect(existsSync(one.target)).toBe(false);
  });

  it("after some tries in a row that bring nothing, and keeps what is there", async () => {
    const one = serve([{ dropAfter: 7000 }, ...Array.from({ length: 9 }, () => ({ status: 500 }))]);
    await expect(one.transfer()).rejects.toMatchObject({
      code: "network",
      message: expect.stringContaining("got HTTP 500 Internal Server Error (6 tries)"),
    });
    expect((await readFile(`${one.target}.part`)).length).toBe(7000);
  });

  it("where nobody listens", async () => {
    const one = serve();
    await expect(
      one.transfer({ source: httpSource("http://127.0.0.1:1/file") }),
    ).rejects.toMatchObject({
      code: "network",
      message: expect.stringContaining("(6 tries)"),
    });
  });

  it("where the disk refuses", async () => {
    const one = serve();
    await writeFile(folder.path("occupied"), "");
    await expect(
      one.transfer({ target: folder.path("occupied", "file.bin") }),
    ).rejects.toMatchObject({ syscall: "mkdir", message: expect.stringContaining("occupied") });
  });

  it("before it begins where the disk has no room", async () => {
    const one = serve([{ lengthError: 1e15 }]);
    await expect(one.transfer()).rejects.toMatchObject({
      code: "io",
      message: expect.stringMatching(/want 1000000000020000 free bytes on the disk, got \d+$/),
    });
  });

  it("when it is aborted in the middle", async () => {
    const one = serve([{ isSlow: true }]);
    const controller = new AbortController();
    const onProgress = () => controller.abort();
    await expect(one.transfer({ onProgress, signal: controller.signal })).rejects.toMatchObject({
      code: "aborted",
    });
    expect(existsSync(`${one.target}.part`)).toBe(true);
  });
});

describe("a transfer from a source that heeds no signal", () => {
  const never = new Promise<never>(() => {});
  const deaf = (started: string[]): Source => ({
    name: "deaf",
    async open({ bytes }) {
      started.push(`from ${bytes}`);
      async function* body() {
        yield Buffer.from("ab");
        await never;
      }
      return { start: bytes, size: 6, validator: "same", body: body() };
    },
  });

  it("is taken up again after every stall", async () => {
    const started: string[] = [];
    const target = folder.path("deaf", "file");
    const options = { source: deaf(started), target, stallTimeout: 50, retryDelay: () => 1 };
    expect(await transfer(options)).toMatchObject({ bytes: 6 });
    expect(await readFile(target, "utf8")).toBe("ababab");
    expect(started).toEqual(["from 0", "from 2", "from 4"]);
  });

  it("ends at once when it is aborted", async () => {
    const started: string[] = [];
    const abort = new AbortController();
    const done = transfer({
      source: deaf(started),
      target: folder.path("deaf", "aborted"),
      signal: abort.signal,
      onProgress: () => abort.abort(),
    });
    await expect(done).rejects.toMatchObject({ code: "aborted" });
    expect(started).toEqual(["from 0"]);
  });
});
