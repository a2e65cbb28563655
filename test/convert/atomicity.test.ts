/** Whatever happens to a conversion: a model is there whole or not at all, and nothing else is left. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { mkdir, readFile, readdir, rename, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { convert, type ConvertOptions } from "../../lib/convert/src/index.ts";
import { openWeights } from "../../lib/convert/src/checkpoint/folder.ts";
import { writeModelFolder } from "../../lib/convert/src/modelFolder.ts";
import { findSources } from "../../lib/convert/src/sources.ts";
import { convertFixture, fixture, temporaryFolder } from "../support/converted.ts";
import { expectSound } from "../support/expectSound.ts";

const { paths: sources, settings } = await findSources(fixture("micro-stage4"));

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let out: string;
let options: ConvertOptions;
beforeEach(async () => {
  folder = await temporaryFolder();
  out = join(folder.path, "model");
  options = { sources, settings: settings!, out };
});
afterEach(() => folder.remove());

const left = async () => (await readdir(folder.path)).toSorted();

/** Fires when the language model is being written. */
function abortInTheMiddle() {
  const controller = new AbortController();
  return {
    signal: controller.signal,
    onProgress: ({ component }: { component: string }) => {
      if (component === "phi") controller.abort();
    },
  };
}

it("leaves nothing after an abort", async () => {
  await expect(convert(options, abortInTheMiddle())).rejects.toMatchObject({ code: "aborted" });
  expect(await left()).toEqual([]);
});

it("leaves a model that is there as it was after an abort", async () => {
  await convertFixture("micro-stage4", out);
  const before = await readFile(join(out, "manifest.json"), "utf8");
  const replacing = convert({ ...options, replace: true, name: "new" }, abortInTheMiddle());
  await expect(replacing).rejects.toMatchObject({ code: "aborted" });
  expect(await left()).toEqual(["model"]);
  expect(await readFile(join(out, "manifest.json"), "utf8")).toBe(before);
  await expectSound(out);
});

it("leaves nothing when a file turns out to be damaged on the way, and names it", async () => {
  const checkpoint = join(folder.path, "damaged.pth");
  const bytes = await readFile(sources.checkpoint);
  // A map's bias: 80 numbers of four bytes, read after most of the model is written.
  const at = bytes.indexOf(await storedBytes("llama_proj2.bias"));
  expect(at).toBeGreaterThan(0);
  bytes[at + 5]! ^= 0xff;
  await writeFile(checkpoint, bytes);
  await expect(convert({ ...options, sources: { ...sources, checkpoint } })).rejects.toMatchObject({
    code: "checkpoint",
    message: expect.stringContaining("damaged.pth"),
  });
  expect(await left()).toEqual(["damaged.pth"]);
});

it("does not replace unless told to, and then replaces whole", async () => {
  await convertFixture("micro-stage4", out);
  await expect(convert(options)).rejects.toMatchObject({
    code: "io",
    message: `${out}: want a path where nothing is, got one that exists; use --force to replace it`,
  });
  await writeFile(join(out, "left over"), "of the old model");
  await convert({ ...options, replace: true, name: "new" });
  expect(await left()).toEqual(["model"]);
  expect(await expectSound(out)).toMatchObject({ name: "new" });
  expect(await readdir(out)).not.toContain("left over");
});

it("never replaces what is no model", async () => {
  await mkdir(out);
  await writeFile(join(out, "thesis.txt"), "years of work");
  await expect(convert({ ...options, replace: true })).rejects.toMatchObject({
    code: "io",
    message: `${out}: want a converted model to replace (a folder with manifest.json), got thesis.txt`,
  });
  const file = join(out, "thesis.txt");
  await expect(convert({ ...options, out: file, replace: true })).rejects.toMatchObject({
    code: "io",
  });
  expect(await readFile(file, "utf8")).toBe("years of work");
});

it("takes a path with a slash at its end", async () => {
  await convert({ ...options, out: `${out}/` });
  await convert({ ...options, out: `${out}/`, replace: true });
  expect(await left()).toEqual(["model"]);
  await expectSound(out);
});

describe("two at once", () => {
  it("give one whole model; the other is told", async () => {
    const both = await Promise.allSettled(["a", "b"].map((name) => convert({ ...options, name })));
    const [done, ...others] = both.filter(({ status }) => status === "fulfilled");
    expect(others).toEqual([]);
    expect(both.find(({ status }) => status === "rejected")).toMatchObject({
      reason: { code: "io", message: expect.stringContaining("use --force to replace it") },
    });
    expect(await left()).toEqual(["model"]);
    expect(await expectSound(out)).toEqual((done as PromiseFulfilledResult<unknown>).value);
  });

  it("give one whole model where each may replace the other's", async () => {
    const names = ["a", "b"];
    await Promise.all(names.map((name) => convert({ ...options, name, replace: true })));
    expect(await left()).toEqual(["model"]);
    expect(names).toContain((await expectSound(out)).name);
  });
});

describe("kill -9", () => {
  it("leaves the model that was there, and the next conversion tidies up", async () => {
    await convertFixture("micro-stage4", out);
    await killInTheMiddle();
    const [model, partial, ...others] = await left();
    expect([model, ...others]).toEqual(["model"]);
    expect(partial).toMatch(/^model\.partial\./);
    expect(await readdir(join(folder.path, partial!))).not.toContain("manifest.json");
    await expectSound(out);

    await convert({ ...options, replace: true });
    expect(await left()).toEqual(["model"]);
  });

  it("between moving the old model out and the new one in is undone", async () => {
    await convertFixture("micro-stage4", out);
    await killInTheMiddle();
    const partial = (await left()).find((name) => name.includes(".partial."))!;
    await rename(out, join(folder.path, partial.replace(".partial.", ".old.")));

    await expect(convert(options)).rejects.toMatchObject({
      message: expect.stringContaining("use --force to replace it"),
    });
    expect(await left()).toEqual(["model"]);
    await expectSound(out);
  });

  it("of a conversion on another machine cannot be told from one that runs", async () => {
    const foreign = `model.partial.1.not-${hostname()}.0123abcd`;
    await mkdir(join(folder.path, foreign));
    await convert(options);
    expect(await left()).toEqual(["model", foreign]);
  });

  /** A conversion in a process of its own that stands still while it writes, killed there. */
  async function killInTheMiddle(): Promise<void> {
    const module = fileURLToPath(new URL("../../lib/convert/src/index.ts", import.meta.url));
    const script = `
      import { writeSync } from "node:fs";
      import { convert } from ${JSON.stringify(module)};
      const onProgress = ({ component }) => {
        if (component !== "phi") return;
        writeSync(1, "writing");
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      };
      await convert(${JSON.stringify({ ...options, replace: true })}, { onProgress });`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const exited = once(child, "exit");
    await Promise.race([once(child.stdout, "data"), exited]);
    child.kill("SIGKILL");
    expect(await exited).toEqual([null, "SIGKILL"]);
  }
});

describe("a disk that refuses", () => {
  it("is an error that names the path, and leaves nothing", async () => {
    const parent = join(folder.path, "file");
    await writeFile(parent, "");
    await expect(convert({ ...options, out: join(parent, "model") })).rejects.toMatchObject({
      code: "io",
      message: expect.stringMatching(/file\/model: cannot write the model: file already exists$/),
    });
  });

  it("when full says so", async () => {
    const full = Object.assign(new Error("ENOSPC"), { errno: -28, code: "ENOSPC" });
    const writing = writeModelFolder(out, false, async (writer) => {
      await writeFile(await writer.path("some.onnx"), "half");
      throw full;
    });
    await expect(writing).rejects.toMatchObject({
      code: "io",
      message: `${out}: cannot write the model: no space left on device`,
      cause: full,
    });
    expect(await left()).toEqual([]);
  });

  // Mounting takes a privilege that not every machine gives.
  it.runIf(canMount())("is noticed for real: full and read-only file systems", async () => {
    const disk = join(folder.path, "disk");
    await mkdir(disk);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", disk]);
    try {
      const toDisk = { ...options, out: join(disk, "model") };
      await expect(convert(toDisk)).rejects.toMatchObject({
        code: "io",
        message: expect.stringMatching(/disk\/model: want \d+ bytes of free disk space, got \d+$/),
      });
      expect(await readdir(disk)).toEqual([]);
      execFileSync("mount", ["-o", "remount,size=100m", disk]);
      const other = join(disk, "other");
      const fill = ({ free }: { free: number }) =>
        writeFileSync(other, new Uint8Array(free - 100_000));
      await expect(convert(toDisk, { onPlan: fill })).rejects.toMatchObject({
        code: "io",
        message: expect.stringMatching(
          /disk\/model: cannot write the model: no space left on device$/,
        ),
      });
      expect(await readdir(disk)).toEqual(["other"]);
      execFileSync("mount", ["-o", "remount,ro", disk]);
      await expect(convert({ ...options, out: join(disk, "model") })).rejects.toMatchObject({
        code: "io",
        message: expect.stringMatching(
          /disk\/model: cannot write the model: read-only file system$/,
        ),
      });
    } finally {
      execFileSync("umount", [disk]);
    }
  });
});

async function storedBytes(name: string): Promise<Buffer> {
  const source = await openWeights(sources.checkpoint);
  try {
    return Buffer.from(await source.read(name));
  } finally {
    await source.close();
  }
}

function canMount(): boolean {
  try {
    execFileSync("unshare", ["--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], {
      stdio: "ignore",
    });
    return true;
  } catch {
    return false;
  }
}
