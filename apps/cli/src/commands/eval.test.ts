import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { repository, runCli, temporaryFolder } from "../testing/runCli.ts";

const folder = temporaryFolder();
const nano = "models/nano/converted";
const sets = "test/fixtures/eval";
const questions = ["--benchmark", "own", "--data", "models/nano/eval/eval.jsonl"];

const filesOf = (run: string) =>
  Promise.all(["answers.jsonl", "scores.json"].map((name) => readFile(join(run, name), "utf8")));

describe("a run in this process", () => {
  const [int8, int4] = ["int8", "int4"].map((level) => () => folder.path(level)) as [
    () => string,
    () => string,
  ];
  const evaluate = (level: string, out: string) =>
    runCli([
      ["eval", nano, ...questions, "--limit", "24"],
      ["--level", level, "--out", out, "--json"],
    ]);
  beforeAll(async () => {
    await evaluate("int8", int8());
    await evaluate("int4", int4());
  });

  it("leaves answers and scores with model, parameters and versions", async () => {
    const [answers, scores] = await filesOf(int8());
    expect(answers!.trim().split("\n")).toHaveLength(24);
    expect(JSON.parse(answers!.split("\n")[0]!)).toMatchObject({
      id: "a0000",
      image: "images/a000.png",
      type: "grounding",
      prompt: "[grounding] describe this image as detailed as possible",
      expected: {
        kind: "question",
        answers: ["<p>a pine tree</p> {<19><3><90><89>} on a green background"],
      },
      finishReason: "stop",
    });
    expect(JSON.parse(scores!)).toMatchObject({
      benchmark: "own",
      data: { path: "models/nano/eval/eval.jsonl", limit: 24, count: 24 },
      model: {
        name: "nano",
        level: "int8",
        weights: "trained",
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
        provider: "cpu",
      },
      parameters: { template: "stage4", imageMode: "reference", decoding: { maxNewTokens: 128 } },
      versions: { node: process.version, onnxruntime: expect.any(String) },
      scores: { count: 24, figures: { judge: expect.any(Number), exact: expect.any(Number) } },
    });
  });

  it("goes on after kill -9, and ends byte for byte as one that ran through", async () => {
    const out = folder.path("killed");
    const path = join(out, "answers.jsonl");
    const args = ["eval", nano, ...questions, "--limit", "24", "--level", "int8", "--out", out];
    const killed = await runCli(args, (child) => {
      void (async () => {
        while (!existsSync(path) || (await readFile(path, "utf8")).split("\n").length < 6)
          await sleep(5);
        child.kill("SIGKILL");
      })();
    });
    expect(killed.end).toBe("SIGKILL");
    const before = (await readFile(path, "utf8")).split("\n").length - 1;
    expect(before).toBeLessThan(24);
    const { end, stdout } = await runCli(args);
    expect(end).toBe(0);
    expect(stdout).toContain("Own questions, 24 questions");
    expect(await filesOf(out)).toEqual(await filesOf(int8()));
  });

  it("is compared with another, pair by pair, in tables and on a page of its own", async () => {
    const page = folder.path("report.html");
    const { end, stdout } = await runCli(["eval", "report", int8(), int4(), "--html", page]);
    expect(end).toBe(0);
    expect(stdout).toMatch(/^Own questions +count +judge +exact\nnano:int8 +24 +\d+\.\d \[\d/);
    expect(stdout).toMatch(
      /against nano:int8 .*\nnano:int4 +24 +-?\d+\.\d \[-?\d+\.\d, -?\d+\.\d\] (better|worse|no difference shown)/,
    );
    expect(stdout).toMatch(/by kind \(judge\) +count +nano:int8 +nano:int4/);
    const html = await readFile(page, "utf8");
    // Not by matchers, which would print all pictures.
    expect(html.includes("<h2>Own questions</h2>")).toBe(true);
    expect(/Where runs disagree.*<img src="data:image\/jpeg;base64,/s.test(html)).toBe(true);
    // Nothing is fetched from anywhere.
    expect(/(src|href)="(?!data:)/.exec(html)).toBe(null);
  });

  it("says that pictures are gone where they are, and reports all the same", async () => {
    const page = folder.path("without.html");
    await runCli(["eval", "report", int8(), int4(), "--html", page, "--data", folder.path("gone")]);
    const html = await readFile(page, "utf8");
    expect(/No pictures: .*gone: want a folder of data/.test(html)).toBe(true);
  });
});

describe("an endpoint", () => {
  interface Received {
    path: string;
    headers: IncomingMessage["headers"];
    body: Record<string, unknown>;
  }

  /** A server that knows no more than OpenAI's form. */
  async function foreignEndpoint(answerTo: (prompt: string, count: number) => string | number) {
    const received: Received[] = [];
    const respond = async (request: IncomingMessage, response: ServerResponse) => {
      response.setHeader("content-type", "application/json");
      if (request.url === "/v1/models") {
        response.end(JSON.stringify({ object: "list", data: [{ id: "gpt-x", object: "model" }] }));
        return;
      }
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const body = JSON.parse(Buffer.concat(chunks).toString()) as Received["body"];
      received.push({ path: request.url!, headers: request.headers, body });
      const [{ content }] = body["messages"] as [{ content: { text?: string }[] }];
      const answer = answerTo(content.at(-1)!.text!, received.length);
      if (typeof answer === "number") {
        response.statusCode = answer;
        response.setHeader("retry-after", "0");
        response.end(JSON.stringify({ error: { message: "busy" } }));
        return;
      }
      const message = { role: "assistant", content: answer };
      response.end(
        JSON.stringify({
          id: "1",
          object: "chat.completion",
          created: 1,
          model: "gpt-x",
          choices: [{ index: 0, message, finish_reason: "stop" }],
        }),
      );
    };
    const server = createServer((request, response) => void respond(request, response));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    return { received, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
  }

  afterEach(() => void vi.unstubAllEnvs());

  const answers = (prompt: string) =>
    prompt.includes("sun") ? "I do not know" : prompt.includes("roof") ? "No, false" : "yes";

  it("of OpenAI's form is asked with what all of them understand", async () => {
    vi.stubEnv("OPENAI_API_KEY", "secret");
    const { received, url } = await foreignEndpoint((prompt, count) =>
      count === 1 ? 503 : answers(prompt),
    );
    const { end, stdout } = await runCli([
      ["eval", "gpt-x", "--url", url, "--benchmark", "vsr", "--data", `${sets}/vsr`],
      ["--out", folder.path("foreign"), "--json"],
    ]);
    expect(end).toBe(0);
    // "yes" to two, of which one is true; "No, false" counts twice; nothing said of the third.
    expect(JSON.parse(stdout)).toMatchObject({
      count: 4,
      figures: { reference: (1 + 2 + 0 + 0) / 4, official: 0.5 },
    });
    expect(received).toHaveLength(5); // one was asked again
    const { path, headers, body } = received.at(-1)!;
    expect({ path, key: headers.authorization }).toEqual({
      path: "/v1/chat/completions",
      key: "Bearer secret",
    });
    expect(Object.keys(body).toSorted()).toEqual([
      "max_tokens",
      "messages",
      "model",
      "temperature",
    ]);
    expect(body).toMatchObject({
      model: "gpt-x",
      max_tokens: 20,
      temperature: 0,
      messages: [
        {
          role: "user",
          content: [
            {
              type: "image_url",
              image_url: { url: expect.stringMatching(/^data:image\/jpeg;base64,/) },
            },
            { type: "text", text: expect.stringMatching(/^Based on the image, is this statement/) },
          ],
        },
      ],
    });
  });

  it("is refused what it cannot do, by name", async () => {
    const { url } = await foreignEndpoint(() => "x");
    const vsr = ["--benchmark", "vsr", "--data", `${sets}/vsr`, "--out", folder.path("refused")];
    const cases: [string[], string][] = [
      [["--url", url, ...vsr], "want the name of a model (gpt-x), got none"],
      [["gpt-x", "--url", url, ...vsr, "--num-beams", "3"], "numBeams: want one of maxNewTokens"],
      [["gpt-x", "--url", url, ...vsr, "--level", "int8"], "level: want none with --url"],
      [
        [
          "gpt-x",
          "--url",
          url,
          "--benchmark",
          "iconvqa",
          "--data",
          `${sets}/iconqa/iconqa_data`,
          "--out",
          folder.path("choice"),
        ],
        "want an endpoint that scores given answers",
      ],
    ];
    for (const [args, message] of cases) {
      const { end, stderr } = await runCli(["eval", ...args]);
      expect(stderr).toContain(message);
      expect(end).toBe(2);
    }
  });

  it("of ours gives the answers of the model in this process", async () => {
    const own = ["--benchmark", "own", "--data", `${sets}/own`];
    const choice = ["--benchmark", "iconvqa", "--data", `${sets}/iconqa/iconqa_data`];
    let results: Promise<unknown> | undefined;
    const overHttp = async (url: string, args: string[], name: string) =>
      runCli(["eval", "nano:int8", "--url", url, ...args, "--out", folder.path(name), "--json"]);
    await runCli(["serve", nano, "--port", "0", "--no-playground"], (child) =>
      child.stderr!.on("data", (text: string) => {
        const [url] = /http:\/\/[\d.:]+/.exec(text) ?? [];
        if (url === undefined || results !== undefined) return;
        results = Promise.all([overHttp(url, own, "http"), overHttp(url, choice, "http-choice")]);
        void results.finally(() => child.kill("SIGINT"));
      }),
    );
    await results;
    for (const [args, name] of [
      [own, "http"],
      [choice, "http-choice"],
    ] as const) {
      const here = folder.path(`here-${name}`);
      await runCli(["eval", nano, "--level", "int8", ...args, "--out", here]);
      const [[overThere], [inProcess]] = [await filesOf(folder.path(name)), await filesOf(here)];
      expect(overThere).toBe(inProcess);
    }
  });
});

it.each([
  [["--benchmark", "vsr"], "data: want --data"],
  [["--data", "x"], "benchmark: want --benchmark, one of vsr, gqa, "],
  [["--benchmark", "vqa9", "--data", "x"], "benchmark: want one of vsr, gqa, "],
  [
    ["--benchmark", "vsr", "--data", `${sets}/own`],
    "own: want vsr: zeroshot/test.jsonl, or Parquet",
  ],
])("is called wrongly with %o", async (args, message) => {
  const { end, stderr } = await runCli(["eval", nano, ...args, "--out", folder.path("wrong")]);
  expect(stderr).toContain(message);
  expect(end).toBe(2);
});

it("does not report what is no finished run", async () => {
  const { end, stderr } = await runCli(["eval", "report", `${repository}/docs`]);
  expect(stderr).toContain("docs: want the folder of a run with scores.json, got none");
  expect(end).toBe(2);
});
