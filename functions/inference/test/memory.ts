/**
 * What pictures cost a real server with nano in memory, over loopback:
 * `pnpm --dir functions/inference memory`. Uploads a picture of 20 MB once and
 * asks questions at once that each name it many times; prints one JSON object:
 * what became of them, and the resident memory of all processes before and at
 * its highest. It judges nothing.
 */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { crc32, deflateSync } from "node:zlib";
import { nanoPath } from "./nano.ts";

const requests = 16;
const naming = 16;

/** Resident bytes of a process and its descendants (Linux). */
async function residentBytes(root: number): Promise<number> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const stats = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/stat`, "utf8").catch(() => "")),
  );
  const processes = stats
    .filter((stat) => stat !== "")
    .map((stat) => {
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return {
        pid: Number.parseInt(stat, 10),
        parent: Number(fields[1]),
        pages: Number(fields[21]),
      };
    });
  const sum = (pid: number): number =>
    processes
      .filter(({ parent }) => parent === pid)
      .reduce(
        (total, child) => total + sum(child.pid),
        (processes.find((one) => one.pid === pid)?.pages ?? 0) * 4096,
      );
  return sum(root);
}

function chunk(type: string, data: Uint8Array): Buffer {
  const named = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const around = Buffer.alloc(8);
  around.writeUInt32BE(data.length);
  around.writeUInt32BE(crc32(named), 4);
  return Buffer.concat([around.subarray(0, 4), named, around.subarray(4)]);
}

/** A square PNG of random pixels. */
function noise(side: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side);
  header.writeUInt32BE(side, 4);
  header.set([8, 2], 8); // 8 bits, RGB
  const row = 1 + side * 3;
  const pixels = randomBytes(side * row);
  for (let y = 0; y < side; y += 1) pixels[y * row] = 0; // no filter
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(pixels, { level: 0 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

const store = await mkdtemp(join(tmpdir(), "memory-"));
const server = spawn(
  process.execPath,
  [fileURLToPath(new URL("../src/main.ts", import.meta.url))],
  {
    env: {
      ...process.env,
      PORT: "0",
      TINYGPTV_MODELS: nanoPath("converted"),
      TINYGPTV_STORE: store,
    },
    stdio: ["ignore", "pipe", "inherit"],
  },
);
let log = "";
server.stdout.on("data", (text) => (log += text));
while (!log.includes('"url"')) await new Promise((resolve) => setTimeout(resolve, 50));
const url = /"url":"([^"]+)"/.exec(log)![1]!;

// Noise does not compress: 2580 x 2580 pixels are 20 MB as a PNG.
const side = 2580;
const picture = noise(side);
const uploaded = await fetch(`${url}/v1/images`, {
  method: "POST",
  headers: { "content-type": "image/png" },
  body: new Uint8Array(picture),
});
const { id } = (await uploaded.json()) as { id: string };
const image = { type: "image_url", image_url: { url: id } };
const ask = async () => {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      messages: [{ role: "user", content: Array.from({ length: naming }, () => image) }],
      max_tokens: 4,
    }),
  });
  await response.text();
  return response.status;
};

const pid = server.pid!;
const before = await residentBytes(pid);
let highest = 0;
const watch = setInterval(async () => {
  highest = Math.max(highest, await residentBytes(pid));
}, 50);
const began = performance.now();
const statuses = await Promise.all(Array.from({ length: requests }, ask));
const seconds = (performance.now() - began) / 1000;
clearInterval(watch);
const megabytes = (bytes: number) => Math.round(bytes / 1e6);
const report = {
  pictureMegabytes: megabytes(picture.length),
  requests,
  naming,
  statuses: Object.fromEntries(
    statuses.map((status) => [status, statuses.filter((one) => one === status).length]),
  ),
  seconds: Math.round(seconds * 10) / 10,
  residentMegabytes: { before: megabytes(before), highest: megabytes(highest) },
};
process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
server.kill("SIGTERM");
await rm(store, { recursive: true, force: true });
