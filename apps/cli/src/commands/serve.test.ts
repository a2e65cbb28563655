import { afterEach, expect, it, vi } from "vitest";
import { runCli } from "../testing/runCli.ts";

const nano = "models/nano/converted";

it.each([
  [["no/such/folder"], 1, "no/such/folder: want a converted model"],
  [[nano, "--host", "0.0.0.0"], 2, "without keys, got 0.0.0.0"],
  [[nano, "--port", "many"], 2, "PORT: want a whole number"],
])("does not start with %o", async (args, exitCode, message) => {
  const { end, stderr } = await runCli(["serve", ...args]);
  expect(stderr).toContain(message);
  expect(end).toBe(exitCode);
});

afterEach(() => void vi.unstubAllEnvs());

it.runIf(process.platform === "linux")("runs models on what --provider says", async () => {
  vi.stubEnv("TINYGPTV_PROVIDER", "cpu");
  vi.stubEnv("VK_DRIVER_FILES", ""); // a GPU, if there is one, has no driver
  const options = [nano, "--port", "0", "--no-playground", "--provider", "webgpu"];
  let answer: Promise<number> | undefined;
  const { stdout } = await runCli(["serve", ...options], (child) =>
    child.stderr!.on("data", (text: string) => {
      const [url] = /http:\/\/[\d.:]+/.exec(text) ?? [];
      if (url === undefined) return;
      answer = fetch(`${url}/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ messages: [{ role: "user", content: "?" }] }),
      }).then(({ status }) => status);
      void answer.finally(() => child.kill("SIGINT"));
    }),
  );
  expect(await answer).toBe(503);
  expect(stdout).toContain("webgpu: want a GPU with a driver");
});

it("serves the endpoint alone where that is wanted, until Ctrl-C", async () => {
  let page: Promise<number> | undefined;
  const { end } = await runCli(["serve", nano, "--port", "0", "--no-playground"], (child) =>
    child.stderr!.on("data", (text: string) => {
      const [url] = /http:\/\/[\d.:]+/.exec(text) ?? [];
      if (url === undefined) return;
      page = fetch(url).then(({ status }) => status);
      void page.finally(() => child.kill("SIGINT"));
    }),
  );
  expect(await page).toBe(404);
  expect(end).toBe(0);
});
