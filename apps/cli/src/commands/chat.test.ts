import { join } from "node:path";
import { openModel } from "tinygptv";
import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { repository, runCli } from "../testing/runCli.ts";
import type { CliResult } from "../testing/runCli.ts";

const nano = "models/nano/converted";
const apple = "models/nano/gallery/apple.png";
const dog = "models/nano/gallery/dog.png";

/** A conversation whose lines come from a pipe. */
const talk = (args: string[], lines: string[]): Promise<CliResult> =>
  runCli(["chat", nano, ...args], (child) => child.stdin!.end(lines.join("\n")));

it("answers every line of a pipe as a round of one conversation", async () => {
  const { end, stdout, stderr } = await talk([apple], ["What do you see?", "", "what is it?"]);
  const rounds = [
    { prompt: "What do you see?", images: 1, answer: "I see an apple on a white background." },
    { prompt: "what is it?", images: 0 },
  ];
  const model = await openModel(join(repository, nano));
  let second = "";
  for await (const event of model.generate({ rounds }, [await readFile(join(repository, apple))]))
    if (event.type === "delta") second += event.text;
  await model.close();
  expect({ end, stdout }).toEqual({ end: 0, stdout: `${rounds[0]!.answer}\n${second}\n` });
  expect(stderr.match(/ a second\)/g)).toHaveLength(2);
});

it("takes pictures at any round, and begins anew", async () => {
  const question = "what is this?";
  const alone = await talk([dog, "--json"], [question]);
  const { end, stdout } = await talk(
    ["--json", "--num-beams", "2"],
    [`/picture ${apple}`, question, `/picture "${dog}"`, question, "/reset", question],
  );
  const answers = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { usage: { imageTokens: number; promptTokens: number } });
  const { usage } = JSON.parse(alone.stdout) as { usage: { imageTokens: number } };
  expect(answers.map((answer) => answer.usage.imageTokens / usage.imageTokens)).toEqual([1, 2, 0]);
  expect(end).toBe(0);
});

it("says what is wrong with a line, and goes on", async () => {
  const { end, stdout, stderr } = await talk(
    [apple],
    ["/picture no/such.png", "/piture x", "/picture", "what is this?"],
  );
  expect(stderr).toContain("error: no/such.png: want a picture, got");
  expect(stderr).toContain("want /picture, /reset, /help or /exit, got /piture");
  expect(stderr).toContain("/picture: want a path, got none");
  expect(stdout).toMatch(/apple/);
  expect(end).toBe(1);
});

it("refuses a wrong parameter before it loads a model", async () => {
  const { end, stderr } = await runCli(["chat", "no/such/model", "--top-p", "7"]);
  expect(end).toBe(2);
  expect(stderr).toMatch(/top_?p/i);
});

const long = ["--min-new-tokens", "400", "--max-new-tokens", "400"];

it("stops an answer at Ctrl-C, keeps what came of it, and goes on", async () => {
  const { end, stdout, stderr } = await runCli(["chat", nano, apple, ...long], (child) => {
    child.stdout!.once("data", () => child.kill("SIGINT"));
    child.stderr!.on("data", (text: string) => text.includes("stopped") && child.stdin!.end());
    child.stdin!.write("describe it\n");
  });
  expect(stdout).toMatch(/\w.*\n$/);
  expect(stderr).toMatch(/^stopped$/m);
  expect(stderr).not.toContain("a second)");
  expect(end).toBe(0);
});

it("ends at Ctrl-C where nothing is under way", async () => {
  const { end } = await runCli(["chat", nano, apple], (child) => {
    child.stderr!.once("data", () => child.kill("SIGINT"));
    child.stdin!.write("what is this?\n");
  });
  expect(end).toBe(130);
});
