import { readFile, writeFile } from "node:fs/promises";
import sharp from "sharp";
import { afterEach, describe, expect, it, vi } from "vitest";
import { repository, runCli, temporaryFolder } from "../testing/runCli.ts";

const folder = temporaryFolder();
const apple = "models/nano/gallery/apple.png";
const nano = "models/nano/converted";

afterEach(() => void vi.unstubAllEnvs());

/** The first answers of nano's own evaluation set, as the reference gives them. */
async function evaluationLines() {
  const text = await readFile(`${repository}/models/nano/eval/eval.jsonl`, "utf8");
  const lines = text.split("\n").slice(0, 12);
  return lines.map(
    (line) => JSON.parse(line) as { image: string; prompt: string; greedy: { ids: number[] } },
  );
}

it("names weights that nobody trained", async () => {
  const micro = folder.path("micro");
  await runCli(["convert", "--from", "test/fixtures/micro-stage4", "--out", micro]);
  const { end, stderr } = await runCli(["ask", micro, apple, "--prompt", "x", "--json"]);
  expect({ end, stderr }).toEqual({
    end: 0,
    stderr: "tinygpt-v:fp32 has fixture weights, which nobody trained: its answers mean nothing.\n",
  });
});

describe("one question", () => {
  it("streams the answer, with what it took on standard error", async () => {
    const { end, stdout, stderr } = await runCli([
      "ask",
      nano,
      apple,
      "--prompt",
      "What do you see?",
    ]);
    expect({ end, stdout }).toEqual({ end: 0, stdout: "I see an apple on a white background.\n" });
    expect(stderr).toMatch(/s · picture .* · prompt .* · answer .* tokens.*\n$/);
  });

  it.runIf(process.platform === "linux")("is answered by what --provider says", async () => {
    vi.stubEnv("VK_DRIVER_FILES", ""); // a GPU, if there is one, has no driver
    const args = ["ask", nano, apple, "--prompt", "What do you see?", "--json", "--provider"];
    const [best, gpu] = [await runCli([...args, "auto"]), await runCli([...args, "webgpu"])];
    expect(best).toMatchObject({ end: 0, stderr: "" });
    expect(gpu).toMatchObject({ end: 1, stdout: "" });
    expect(gpu.stderr).toContain("error: webgpu: want a GPU with a driver");
  });

  it("prints everything as JSON on request", async () => {
    const args = ["ask", nano, apple, "--prompt", "What do you see?", "--json", "--logprobs"];
    const { stdout, stderr } = await runCli(args);
    const answer = JSON.parse(stdout);
    expect(answer).toMatchObject({ finishReason: "stop", timings: { queue: 0 } });
    expect(answer.logprobs.map((token: { id: number }) => token.id)).toEqual(answer.tokens);
    expect(stderr).toBe("");
  });

  it("gives all hypotheses of a beam search with their scores", async () => {
    const { stdout } = await runCli([
      ["ask", nano, apple, "--prompt", "What do you see?"],
      ["--num-beams", "3", "--num-return-sequences", "3"],
    ]);
    const lines = stdout.trimEnd().split("\n");
    expect(lines[0]).toMatch(/^-0\.\d{3}\tI see an apple on a white background\.$/);
    const scores = lines.map((line) => Number(line.split("\t")[0]));
    expect(scores).toHaveLength(3);
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
  });

  it("repeats a sampled answer with the same seed", async () => {
    const args = [
      "ask",
      nano,
      apple,
      "--prompt",
      "Describe it",
      "--temperature",
      "3",
      "--seed",
      "7",
    ];
    const [one, two] = [await runCli(args), await runCli(args)];
    expect(one.stdout).toBe(two.stdout);
    expect(one.stdout).not.toBe("");
  });

  it("draws boxes into a copy of the picture", async () => {
    const out = folder.path("boxes.png");
    const { end, stderr } = await runCli([
      ["ask", nano, apple, "--draw", out],
      ["--task", "grounding", "--prompt", "describe this image as detailed as possible"],
    ]);
    expect(end).toBe(0);
    expect(stderr).toMatch(/boxes\.png: one box\n$/);
    const [before, after] = await Promise.all([sharp(apple).metadata(), sharp(out).metadata()]);
    expect([after.width, after.height]).toEqual([before.width, before.height]);
    const pixels = (path: string) => sharp(path).removeAlpha().raw().toBuffer();
    const [plain, drawn] = await Promise.all([pixels(apple), pixels(out)]);
    const changed = plain.filter((value, i) => value !== drawn[i]).length / plain.length;
    expect(changed).toBeGreaterThan(0.001);
    expect(changed).toBeLessThan(0.05);
  });

  it("ends at once on Ctrl-C", async () => {
    const args = [
      "ask",
      nano,
      "--prompt",
      "a",
      "--min-new-tokens",
      "1500",
      "--max-new-tokens",
      "1500",
    ];
    const { end } = await runCli(args, (child) => {
      child.stdout?.once("data", () => child.kill("SIGINT"));
    });
    expect(end).toBe("SIGINT"); // a shell makes 130 of it
  });

  it.each([
    ["no question", [apple], 2, "request: want either --prompt or --jsonl"],
    [
      "a parameter out of range",
      ["--prompt", "a", "--top-p", "7"],
      2,
      "topP: want a number from 0 to 1, got 7",
    ],
    [
      "parameters that do not go together",
      ["--prompt", "a", "--num-beams", "3", "--top-k", "5"],
      2,
      "topK: want method sample with it, got method beam",
    ],
    ["no number", ["--prompt", "a", "--temperature", "hot"], 2, "Want a number, got hot."],
    [
      "a picture that is not there",
      ["gone.png", "--prompt", "a"],
      1,
      "gone.png: want a picture, got no such file",
    ],
    ["a picture that is none", ["package.json", "--prompt", "a"], 1, "want PNG, JPEG"],
    [
      "a level that is not there",
      ["--prompt", "a", "--level", "int3"],
      1,
      "level: want one of fp32, int8, int4, got int3",
    ],
    [
      "a drawing without a picture",
      ["--prompt", "a", "--draw", "x.png"],
      2,
      "draw: want a picture",
    ],
    [
      "a folder where a picture should be",
      ["models/nano/gallery", "--prompt", "a"],
      1,
      "models/nano/gallery: want a picture, got a folder",
    ],
    [
      "a folder where requests should be",
      ["--jsonl", "models/nano/gallery"],
      1,
      "models/nano/gallery: want a file of requests, got a folder",
    ],
  ])("refuses %s", async (_, args, code, message) => {
    const { end, stdout, stderr } = await runCli(["ask", nano, ...args]);
    expect({ end, stdout }).toEqual({ end: code, stdout: "" });
    expect(stderr).toContain(message);
  });

  it("refuses a folder that is no model", async () => {
    const { end, stderr } = await runCli(["ask", "models/nano/checkpoint", "--prompt", "a"]);
    expect(end).toBe(1);
    expect(stderr).toContain("models/nano/checkpoint: want a converted model");
  });
});

describe("a file of requests", () => {
  async function askMany(lines: readonly object[], ...more: string[]) {
    const path = folder.path("requests.jsonl");
    // With a byte order mark, as some editors write it.
    await writeFile(path, `\uFEFF${lines.map((line) => `${JSON.stringify(line)}\n`).join("\n")}`);
    const result = await runCli(["ask", nano, "--jsonl", path, ...more]);
    const answers = result.stdout.split("\n").flatMap((line) => (line ? [JSON.parse(line)] : []));
    return { ...result, answers };
  }

  it("is answered in its order, with the reference's tokens", async () => {
    const lines = await evaluationLines();
    const { end, answers } = await askMany(
      lines.map(({ image, prompt }) => ({
        image: `${repository}/models/nano/eval/${image}`,
        prompt,
        max_new_tokens: 120,
        noRepeatNgramSize: 0,
      })),
    );
    expect(end).toBe(0);
    expect(answers.map((answer) => answer.tokens)).toEqual(lines.map((line) => line.greedy.ids));
    expect(answers[0]).toMatchObject({
      text: expect.any(String),
      finishReason: "stop",
      timings: { total: expect.any(Number) },
    });
  });

  it("goes on after a request that cannot be answered, and exits 1", async () => {
    const good = { prompt: "What do you see?", image: `${repository}/${apple}` };
    const { end, answers } = await askMany([{ ...good, image: "gone.png" }, good], "--batch", "1");
    expect(end).toBe(1);
    expect(answers).toMatchObject([
      { error: { code: "image", message: expect.stringContaining("gone.png: want a picture") } },
      { text: "I see an apple on a white background." },
    ]);
  });

  it.each([
    ["an unknown key", { prompt: "a", numBeam: 3 }, "numBeam: want one of image, prompt,"],
    ["a key twice", { prompt: "a", topK: 3, top_k: 3 }, "top_k: want every field once"],
    ["a wrong type", { prompt: 7 }, "prompt: want a text, got 7"],
    [
      "a value out of range",
      { prompt: "a", num_beams: 99 },
      "numBeams: want a whole number from 1 to 16, got 99",
    ],
    ["an unknown task", { prompt: "a", task: "sing" }, "task: "],
    ["no object", ["a"], 'want a JSON object, got ["a"]'],
  ])("is refused for %s, naming line and key", async (_, line, message) => {
    const { end, stdout, stderr } = await askMany([{ prompt: "fine" }, line]);
    expect({ end, stdout }).toEqual({ end: 2, stdout: "" });
    expect(stderr).toContain(`requests.jsonl, line 3: ${message}`);
  });

  it("goes with no option that belongs to one request", async () => {
    const { end, stderr } = await askMany([{ prompt: "a" }], "--num-beams", "3");
    expect(end).toBe(2);
    expect(stderr).toBe(
      "error: numBeams: want it in the lines of the --jsonl file, got it beside it\n",
    );
  });
});
