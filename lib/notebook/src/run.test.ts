import { describe, expect, it } from "vitest";
import { finalText, type Output } from "./output.ts";
import { checkOutput } from "./outputSchema.ts";
import { runNotebook } from "./runNotebook.ts";
import { remarkText } from "./remark.ts";
import { packNotebook, unpackNotebook } from "./sideFiles.ts";
import { capitals, context, make, picture, type Asked } from "./testing/capitals.ts";

const texts = (output: Output | undefined): string[] | undefined => output?.runs.map(finalText);

describe("runNotebook", () => {
  it("runs cells after those they use, and puts their outputs into questions", async () => {
    const asked: Asked[] = [];
    const notebook = make(
      { type: "prompt", id: "b", name: "second", rounds: ["{{first}} at {{first.box}} {{dog}}"] },
      { type: "prompt", id: "a", name: "first", rounds: ["x"] },
      picture,
    );
    const outputs = await runNotebook(context(notebook, capitals(asked)));
    expect(asked.map(({ request, pictures }) => [request.rounds.at(-1)?.prompt, pictures])).toEqual(
      [
        ["x", 0],
        ["X at {<1><2><3><4>}", 1],
      ],
    );
    expect(texts(outputs.get("b"))).toEqual(["X AT {<1><2><3><4>}"]);
  });

  it("a sweep can go through temperature 0 and a seed below 0", async () => {
    const asked: Asked[] = [];
    const axes = [
      { parameter: "temperature", values: [0, 0.5] },
      { parameter: "seed", values: [-1] },
    ];
    await runNotebook(
      context(make({ type: "sweep", id: "a", rounds: ["x"], axes }), capitals(asked)),
    );
    const decodings = asked.map(({ request }) => request.decoding);
    expect(decodings).toMatchObject([
      { temperature: 0, seed: -1 },
      { temperature: 0.5, seed: -1 },
    ]);
  });

  it("asks round after round, with the answers so far", async () => {
    const asked: Asked[] = [];
    const notebook = make(picture, {
      type: "prompt",
      id: "a",
      pictures: ["dog"],
      rounds: ["x", "y"],
      answerPrefix: [7],
    });
    await runNotebook(context(notebook, capitals(asked)));
    expect(asked.map(({ request }) => [request.rounds, request.answerPrefix])).toEqual([
      [[{ prompt: "x", images: 1 }], undefined],
      [
        [
          { prompt: "x", images: 1, answer: "X" },
          { prompt: "y", images: 0 },
        ],
        [7],
      ],
    ]);
  });

  it("ends answers at ### whatever other stop texts there are, JSON where it is complete", async () => {
    const asked: Asked[] = [];
    const schema = "{}";
    const decodings = [
      {},
      { stop: ["."] },
      { stop: [".", "###"] },
      { jsonSchema: schema, stop: [] },
    ];
    const cells = decodings.map((decoding, i) => ({
      type: "prompt",
      id: `p${i}`,
      rounds: ["x"],
      decoding,
    }));
    await runNotebook(context(make(...cells), capitals(asked)));
    expect(asked.map(({ request }) => request.decoding?.stop)).toEqual([
      undefined,
      ["###", "."],
      ["###", "."],
      [],
    ]);
    expect(asked.at(-1)?.request.decoding?.jsonSchema).toBe(schema);
  });

  it.each<[string, object, RegExp]>([
    ["nothing", { type: "prompt", rounds: ["  "] }, /^question: want words, got none$/],
    ["a picture alone", { type: "prompt", rounds: ["{{dog}}"] }, /^question: want words/],
    ["nothing more", { type: "prompt", rounds: ["x", ""] }, /^question, round 2: want words/],
    ["nothing to find", { type: "prompt", task: "refer", rounds: [""] }, /^question: want words/],
    [
      "one that is empty among others",
      {
        type: "evaluate",
        items: [
          { prompt: "x", answer: "y" },
          { prompt: "", answer: "y" },
        ],
      },
      /^question: want words/,
    ],
  ])("asks nothing where a question says %s", async (_, cell, message) => {
    const asked: Asked[] = [];
    const notebook = make(picture, { id: "a", ...cell });
    await expect(runNotebook(context(notebook, capitals(asked)))).rejects.toThrow(message);
    expect(asked).toEqual([]);
  });

  it("lets a task speak for itself", async () => {
    const cell = { type: "prompt", id: "a", task: "caption", pictures: ["dog"], rounds: [""] };
    const outputs = await runNotebook(context(make(picture, cell)));
    expect(outputs.get("a")?.runs[0]?.state).toBe("done");
  });

  it("keeps the seed an answer was drawn with", async () => {
    const cells = [{ type: "prompt", id: "a", rounds: ["x"], decoding: { method: "sample" } }];
    const outputs = await runNotebook(context(make(...cells)));
    expect(checkOutput(outputs.get("a"), "a", "a").runs[0]?.answers[0]?.seed).toBe(4_000_000_000);
  });

  it("asks a sweep's whole grid, a failure aside", async () => {
    const asked: Asked[] = [];
    const axes = [
      { parameter: "temperature", values: [0.5, 1] },
      { parameter: "model", values: ["m:a", "m:b"] },
    ];
    const notebook = make(
      { type: "sweep", id: "a", rounds: ["x"], axes },
      { type: "sweep", id: "b", rounds: ["fail"], axes },
    );
    const outputs = await runNotebook(context(notebook, capitals(asked)));
    expect(
      asked.slice(0, 4).map(({ request, model }) => [request.decoding?.temperature, model]),
    ).toEqual([
      [0.5, "m:a"],
      [0.5, "m:b"],
      [1, "m:a"],
      [1, "m:b"],
    ]);
    expect(outputs.get("b")?.runs.map(({ state, error }) => [state, error?.message])).toEqual(
      Array.from({ length: 4 }, () => ["error", "engine: it died"]),
    );
  });

  it("scores every answer of a comparison under every level", async () => {
    const columns = [
      { label: "a", model: "m:a" },
      { label: "long", model: "m:long" },
    ];
    const outputs = await runNotebook(
      context(make({ type: "compare", id: "a", rounds: ["x"], columns })),
    );
    expect(
      outputs
        .get("a")
        ?.scores.map(({ answer, under, meanLogprob }) => [answer, under, meanLogprob]),
    ).toEqual([
      [0, 0, -4],
      [1, 0, -4],
      [0, 1, -7],
      [1, 1, -7],
    ]);
  });

  it("judges an evaluation level by level", async () => {
    const items = [
      { prompt: "x", answer: "x " },
      { prompt: "y", answer: "z" },
    ];
    const outputs = await runNotebook(
      context(make({ type: "evaluate", id: "a", models: ["m:a", "m:b"], items })),
    );
    expect(outputs.get("a")?.runs.map(({ label, correct }) => [label, correct])).toEqual([
      ["m:a", true],
      ["m:a", false],
      ["m:b", true],
      ["m:b", false],
    ]);
  });

  it.each([
    [[{ type: "prompt", id: "a", rounds: ["{{none}}"] }], "{{none}}: no cell is called none"],
    [
      [{ type: "prompt", id: "a", pictures: ["none"] }],
      "pictures: want the name of a picture cell, got none",
    ],
    [
      [
        { ...picture, file: "" },
        { type: "chart", id: "c" },
        { type: "prompt", id: "a", name: "a", rounds: ["{{a}}"] },
      ],
      "circle: a -> a",
    ],
    [
      [{ type: "sweep", id: "a", axes: [{ parameter: "temperature", values: [200] }] }],
      "temperature: want 0 or a number from 0.001 to 100, got 200",
    ],
    [
      [{ type: "sweep", id: "a", axes: [{ parameter: "task", values: ["dance"] }] }],
      "task: want one of",
    ],
    [[{ type: "evaluate", id: "a", name: "e" }], "e: want at least one question, got none"],
  ])("refuses %j", async (cells, message) => {
    await expect(runNotebook(context(make(...cells)))).rejects.toThrow(message);
  });
});

describe("side folders", () => {
  it("keep outputs by their content and leave out what was changed, and say so", async () => {
    const notebook = make({ type: "prompt", id: "c1", rounds: ["x"] });
    const outputs = await runNotebook(context(notebook));
    const packed = await packNotebook(
      notebook,
      (cell) => outputs.get(cell.id),
      () => Promise.reject(new Error("no picture")),
    );
    const read = (name: string): Promise<Uint8Array | undefined> =>
      Promise.resolve(packed.files.get(name));
    expect((await unpackNotebook(packed.markdown, "n.md", read)).outputs).toEqual(outputs);
    expect(
      (await unpackNotebook(packed.markdown, "n.md", () => Promise.resolve(undefined))).outputs
        .size,
    ).toBe(0);
    const changed = await unpackNotebook(packed.markdown, "n.md", () =>
      Promise.resolve(new Uint8Array()),
    );
    expect(changed.outputs.size).toBe(0);
    expect(changed.remarks.map(remarkText).join()).toContain("want content of that sha256");
  });
});
