/** The endpoint as a program of its own. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { nanoPath } from "./nano.ts";

const source = (file: string) => fileURLToPath(new URL(`../src/${file}`, import.meta.url));
const environment = {
  ...process.env,
  PORT: "0",
  TINYGPTV_MODELS: nanoPath("converted"),
  TINYGPTV_STORE: "memory",
};

/** Starts the program and collects its log. What a test leaves running ends with it. */
function start(env: object = {}) {
  const program = spawn(process.execPath, [source("main.ts")], { env: { ...environment, ...env } });
  let log = "";
  program.stdout.on("data", (chunk) => (log += chunk));
  program.stderr.on("data", (chunk) => (log += chunk));
  const ended = once(program, "close").then(([code]) => Number(code));
  return {
    program,
    ended,
    log: () => log,
    [Symbol.dispose]: () => void program.kill("SIGKILL"),
  };
}

/** Where it listens, as its log says once it does. */
async function addressOf(log: () => string): Promise<string> {
  await expect
    .poll(log, { timeout: 20_000 })
    .toContain("no keys are configured: only this machine may call");
  return /"url":"([^"]+)"/.exec(log())![1]!;
}

const ask = (url: string, fields: object = {}) =>
  fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ messages: [{ role: "user", content: "What do you see?" }], ...fields }),
  });

test("serves until told to stop, and finishes the answer it is at", async () => {
  using started = start();
  const { program, ended, log } = started;
  const url = await addressOf(log);
  const response = await ask(url, { stream: true });
  program.kill("SIGTERM");
  expect(await response.text()).toContain("data: [DONE]");
  expect(await ended).toBe(0);
  expect(log()).toContain('"msg":"closed"');
  // Neither what was asked nor what was answered.
  expect(log()).not.toContain("What do you see");
});

/** A machine whose GPU, if there is one, has no driver. */
const noDriver = { VK_DRIVER_FILES: "" };

test.runIf(process.platform === "linux")(
  "runs models on the processor where there is no GPU, says why, and prints nothing else",
  async () => {
    using started = start(noDriver);
    const { program, ended, log } = started;
    const response = await ask(await addressOf(log), { max_tokens: 1 });
    expect(response.status).toBe(200);
    const loaded = log()
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { msg: string })
      .filter(({ msg }) => msg === "model loaded");
    expect(loaded).toEqual([
      expect.objectContaining({
        provider: "cpu",
        execution: expect.stringMatching(/^no (Vulkan loader|Vulkan driver|GPU)/),
      }),
    ]);
    program.kill("SIGTERM");
    expect(await ended).toBe(0);
  },
);

test.runIf(process.platform === "linux")(
  "a GPU that is asked for and not there fails requests, the log says what is missing, the server stays",
  async () => {
    using started = start({ ...noDriver, TINYGPTV_PROVIDER: "webgpu" });
    const { program, ended, log } = started;
    const url = await addressOf(log);
    const response = await ask(url, { max_tokens: 1 });
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ error: { code: "model_unavailable" } });
    await expect.poll(log).toContain("webgpu: want a GPU with a driver for Vulkan");
    expect((await fetch(`${url}/v1/models`)).status).toBe(200);
    program.kill("SIGTERM");
    expect(await ended).toBe(0);
  },
);

test.each([
  [{ HOST: "0.0.0.0" }, /want localhost, 127\.0\.0\.1 or ::1 without keys, got 0\.0\.0\.0/],
  [{ TINYGPTV_KEYS: "short" }, /TINYGPTV_KEYS: want keys/],
  [{ TINYGPTV_MODELS: "" }, /want at least one folder/],
])("does not start with %o", async (env, message) => {
  using started = start(env);
  const { ended, log } = started;
  expect(await ended).not.toBe(0);
  expect(log()).toMatch(message);
});
