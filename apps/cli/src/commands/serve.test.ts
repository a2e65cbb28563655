import { expect, it } from "vitest";
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
