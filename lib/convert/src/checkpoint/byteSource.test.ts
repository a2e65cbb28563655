import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { expectDamaged } from "../../../../test/support/checkpoint/expectDamaged.ts";
import { bytesInMemory, openFile, openWith } from "./byteSource.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "byte-source-"));
});
afterAll(() => rm(folder, { recursive: true }));

const bytes = Uint8Array.from({ length: 100 }, (_, i) => i);

async function file(): Promise<string> {
  const path = join(folder, "hundred.bin");
  await writeFile(path, bytes);
  return path;
}

test("reads the bytes asked for, from a file as from memory", async () => {
  const source = await openFile(await file());
  const memory = bytesInMemory("memory", bytes);
  expect(source.size).toBe(100);
  for (const [offset, length] of [
    [0, 100],
    [10, 3],
    [99, 1],
    [100, 0],
  ] as const) {
    const wanted = bytes.slice(offset, offset + length);
    expect(await source.read(offset, length)).toEqual(wanted);
    expect(await memory.read(offset, length)).toEqual(wanted);
  }
  await source.close();
});

test("a range that is not within the file is an error with file, range and size", async () => {
  const path = await file();
  const source = await openFile(path);
  await expectDamaged(source.read(90, 11), path, "11 bytes", "offset 90", "has 100");
  await expectDamaged(source.read(101, 0), "has 100");
  await expectDamaged(source.read(-1, 1), "offset -1");
  await expectDamaged(source.read(0, -1), "-1 bytes");
  await expectDamaged(source.read(0.5, 1), "offset 0.5");
  await expectDamaged(source.read(0, Number.NaN), "NaN bytes");
  await expectDamaged(source.read(0, 2 ** 60), "has 100");
  await expectDamaged(bytesInMemory("memory", bytes).read(90, 11), "memory", "has 100");
  await source.close();
});

test("a file that shrinks after opening is an error, not zeros", async () => {
  const path = await file();
  const source = await openFile(path);
  await truncate(path, 40);
  await expectDamaged(source.read(30, 20), path, "want 20 bytes at 30, got 10");
  await source.close();
});

test("folders and devices are refused", async () => {
  await expectDamaged(openFile(folder), folder, "got a folder");
  await expectDamaged(openFile("/dev/null"), "/dev/null", "want a regular file");
});

test("what the disk refuses is an io error that names the path", async () => {
  const path = join(folder, "missing");
  await expect(openFile(path)).rejects.toMatchObject({
    name: "TinyGptvError",
    code: "io",
    message: expect.stringContaining(path),
  });
  const source = await openFile(await file());
  await source.close();
  await expect(source.read(0, 1)).rejects.toMatchObject({ name: "TinyGptvError", code: "io" });
});

test("a reader that fails leaves no open file behind", async () => {
  const path = await file();
  let taken: Awaited<ReturnType<typeof openFile>> | undefined;
  const failing = openWith(path, async (source) => {
    taken = source;
    throw new Error("refused");
  });
  await expect(failing).rejects.toThrow("refused");
  await expect(taken!.read(0, 1)).rejects.toMatchObject({ code: "io" });
});
