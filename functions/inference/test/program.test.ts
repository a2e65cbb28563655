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

/** Starts the program and collects its log. */
function start(env: object = {}) {
  const program = spawn(process.execPath, [source("main.ts")], { env: { ...environment, ...env } });
  let log = "";
  program.stdout.on("data", (chunk) => (log += chunk));
  program.stderr.on("data", (chunk) => (log += chunk));
  const ended = once(program, "close").then(([code]) => Number(code));
  return { program, ended, log: () => log };
}

test("serves until told to stop, and finishes the answer it is at", async () => {
  const { program, ended, log } = start();
  await expect
    .poll(log, { timeout: 20_000 })
    .toContain("no keys are configured: only this machine may call");
  const url = /"url":"([^"]+)"/.exec(log())![1]!;
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      messages: [{ role: "user", content: "What do you see?" }],
      stream: true,
    }),
  });
  program.kill("SIGTERM");
  expect(await response.text()).toContain("data: [DONE]");
  expect(await ended).toBe(0);
  expect(log()).toContain('"msg":"closed"');
  // Neither what was asked nor what was answered.
  expect(log()).not.toContain("What do you see");
});

test.each([
  [{ HOST: "0.0.0.0" }, /want localhost, 127\.0\.0\.1 or ::1 without keys, got 0\.0\.0\.0/],
  [{ TINYGPTV_KEYS: "short" }, /TINYGPTV_KEYS: want keys/],
  [{ TINYGPTV_MODELS: "" }, /want at least one folder/],
])("does not start with %o", async (env, message) => {
  const { ended, log } = start(env);
  expect(await ended).not.toBe(0);
  expect(log()).toMatch(message);
});
