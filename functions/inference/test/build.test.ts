/** What the build puts out for Vercel, alone in a folder: nothing of the workspace is above it. */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ChatResponse, ModelList } from "@tinygptv/protocol/http";
import { filesIn, readOutput, runBuild } from "../../deploy/src/testing/output.ts";
import { dataUrl } from "../src/testing/pictures.ts";
import { nanoPath } from "./nano.ts";

const script = new URL("../build.ts", import.meta.url);
const launcher = fileURLToPath(new URL("vercelLauncher.ts", import.meta.url));
const key = "key-of-the-test";

describe("the inference function built for Vercel", () => {
  let out: string;
  let output: Awaited<ReturnType<typeof readOutput>>;
  let printed: string;
  let running: ChildProcess | undefined;
  beforeAll(async () => {
    out = await mkdtemp(join(tmpdir(), "inference-"));
    printed = (await runBuild(script, nanoPath("converted"), "--out", out)).stdout;
    output = await readOutput(join(out, ".vercel/output"));
  });
  afterAll(async () => {
    running?.kill();
    await rm(out, { recursive: true });
  });

  /** The function's address, started with these variables and no others. */
  async function start(variables: Record<string, string>): Promise<string> {
    const child = spawn(process.execPath, [launcher], {
      cwd: output.folder,
      env: { ...variables, TINYGPTV_LOG_LEVEL: "silent" },
      stdio: ["ignore", "pipe", "inherit"],
    });
    running = child;
    for await (const line of createInterface({ input: child.stdout }))
      return `http://127.0.0.1:${line}`;
    throw new Error("the function did not start");
  }

  it("is a Node function that answers every path, with no static files and no sources", async () => {
    expect(output.config).toMatchObject({ runtime: "nodejs22.x", handler: "index.js" });
    expect([output.route("/v1/models"), output.statics]).toEqual(["function", []]);
    const files = await filesIn(output.folder);
    expect(files.filter((name) => /\.ts$|\.test\.|onnxruntime_providers/.test(name))).toEqual([]);
    expect(files.filter((name) => /\.(node|so(\.[\d.]+)?|dylib|dll)$/.test(name))).toEqual([
      expect.stringMatching(/^node_modules\/@img\/sharp-libvips-linux-x64\//),
      expect.stringMatching(/^node_modules\/@img\/sharp-linux-x64\//),
      "node_modules/onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime.so.1",
      "node_modules/onnxruntime-node/bin/napi-v6/linux/x64/onnxruntime_binding.node",
    ]);
  });

  it("says how large it is, which is within what Vercel takes", () => {
    expect(Number(/([\d.]+) MB {2}together/.exec(printed)?.[1])).toBeLessThan(250);
  });

  it("answers by itself, with the model it brings, and writes nothing beside itself", async () => {
    const before = await filesIn(out);
    const url = await start({ TINYGPTV_KEYS: key });
    const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
    const picture = dataUrl(await readFile(nanoPath("gallery/apple.png")));
    const ask = await fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers,
      body: JSON.stringify({
        messages: [
          {
            role: "user",
            content: [
              { type: "image_url", image_url: { url: picture } },
              { type: "text", text: "What do you see?" },
            ],
          },
        ],
      }),
    });
    const answer = (await ask.json()) as ChatResponse;
    expect(answer.choices[0]?.message.content).toBe("I see an apple on a white background.");
    const { data } = (await (await fetch(`${url}/v1/models`, { headers })).json()) as ModelList;
    expect(data.map(({ id }) => id)).toEqual(["nano:fp32", "nano:int8", "nano:int4"]);
    expect((await fetch(`${url}/docs/swagger-ui.css`)).status).toBe(200);
    expect((await fetch(`${url}/v1/models`)).status).toBe(401);
    expect(await filesIn(out)).toEqual(before);
  });
});
