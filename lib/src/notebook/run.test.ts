import { describe, expect, it } from "vitest";
import { TinyGptvError } from "../errors.ts";
import type { GenerateRequest } from "../protocol.ts";
import type { AskingCell, Cell } from "./cell.ts";
import type { NotebookEngine, RunContext } from "./context.ts";
import { checkNotebook, type Notebook } from "./document.ts";
import { freshness } from "./fingerprint.ts";
import { finalText, type Output } from "./output.ts";
import { checkOutput } from "./outputSchema.ts";
import { withRenamed } from "./references.ts";
import { runCell } from "./run.ts";
import { runNotebook } from "./runNotebook.ts";
import { packNotebook, unpackNotebook } from "./sideFiles.ts";

interface Asked {
  request: GenerateRequest;
  pictures: number;
  model: string | undefined;
}

/** Answers with the prompt in capitals; fails where it says "fail"; scores by length. */
function capitals(asked: Asked[] = []): NotebookEngine {
  return {
    async *generate(request, images, { model } = {}) {
      await Promise.resolve();
      asked.push({ request, pictures: images.length, model });
      const prompt = request.rounds.at(-1)?.prompt ?? "";
      if (prompt.includes("fail")) throw new TinyGptvError("engine", "engine: it died");
      const text = prompt.toUpperCase();
      const counts = { promptTokens: 1, imageTokens: 0 };
      yield { type: "start", model: model ?? "m:a", promptText: prompt, images: [], ...counts };
      yield { type: "delta", text };
      const box = {
        phrase: "",
        percent: [1, 2, 3, 4] as const,
        pixels: [1, 2, 3, 4] as const,
        image: 0,
      };
      yield {
        type: "end",
        hypotheses: [{ text, tokens: [], finishReason: "stop" }],
        boxes: [{ ...box, percent: [...box.percent], pixels: [...box.pixels] }],
        usage: { promptTokens: 1, imageTokens: 0, completionTokens: 1, cachedTokens: 0 },
        timings: { queue: 0, image: 0, prefill: 0, decode: 0, total: 0 },
        ...(request.decoding?.method === "sample" && { seed: 4_000_000_000 }),
      };
    },
    score: (request, _images, { model } = {}) =>
      Promise.resolve({
        candidates: request.candidates.map((text) => ({
          text,
          tokens: [],
          meanLogprob: -text.length - (model?.length ?? 0),
        })),
        ranks: [],
        images: [],
      }),
  };
}

const context = (notebook: Notebook, engine = capitals()): Omit<RunContext, "outputOf"> => ({
  notebook,
  engine,
  readPicture: () => Promise.resolve(new Uint8Array([1])),
  signal: new AbortController().signal,
  now: () => "2026-01-01T00:00:00.000Z",
});

const picture = { type: "picture", id: "p", name: "dog", file: "dog.png" };
const make = (...cells: object[]): Notebook => checkNotebook({ title: "t", model: "m:a", cells });
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
    const cells = decodings.map((decoding, i) => ({ type: "prompt", id: `p${i}`, decoding }));
    await runNotebook(context(make(...cells), capitals(asked)));
    expect(asked.map(({ request }) => request.decoding?.stop)).toEqual([
      undefined,
      ["###", "."],
      ["###", "."],
      [],
    ]);
    expect(asked.at(-1)?.request.decoding?.jsonSchema).toBe(schema);
  });

  it("keeps the seed an answer was drawn with", async () => {
    const cells = [{ type: "prompt", id: "a", decoding: { method: "sample" } }];
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
      "temperature: want a number from 0.001 to 100, got 200",
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

describe("withRenamed", () => {
  it("turns every use of a name into another, and leaves the rest", () => {
    const { cells } = make(
      {
        type: "prompt",
        id: "a",
        pictures: ["dog", "cat"],
        rounds: ["{{dog}} {{ dog.box }} {{dogs}} dog", "{{cat}}"],
      },
      {
        type: "evaluate",
        id: "b",
        items: [{ pictures: ["dog"], prompt: "{{dog.2}}", answer: "dog" }],
      },
      { type: "chart", id: "c", source: "dog" },
      { type: "text", id: "d", source: "{{dog}}" },
    );
    expect(cells.map((cell) => withRenamed(cell, "dog", "hund"))).toMatchObject([
      { pictures: ["hund", "cat"], rounds: ["{{hund}} {{hund.box}} {{dogs}} dog", "{{cat}}"] },
      { items: [{ pictures: ["hund"], prompt: "{{hund.2}}", answer: "dog" }] },
      { source: "hund" },
      { source: "{{dog}}" },
    ]);
  });
});

describe("freshness", () => {
  const notebook = make(
    picture,
    { type: "prompt", id: "a", name: "a", pictures: ["dog"], rounds: ["x"] },
    { type: "prompt", id: "b", rounds: ["{{a}}"] },
  );

  /** Whether the second prompt's output is still fresh after a change. */
  async function after(change: (cells: Cell[]) => void): Promise<string> {
    const outputs = await runNotebook(context(notebook));
    const changed = structuredClone(notebook);
    change(changed.cells);
    const cell = changed.cells[1] as AskingCell;
    return freshness(changed, cell, outputs.get(cell.id), (other) => outputs.get(other.id));
  }

  it("is lost with the question, the picture and the settings, and with nothing else", async () => {
    expect(await after(() => {})).toBe("fresh");
    expect(await after((cells) => Object.assign(cells[1]!, { rounds: ["y"] }))).toBe("stale");
    expect(await after((cells) => Object.assign(cells[0]!, { file: "cat.png" }))).toBe("stale");
    expect(await after((cells) => Object.assign(cells[1]!, { decoding: { seed: 1 } }))).toBe(
      "stale",
    );
    expect(await after((cells) => Object.assign(cells[1]!, { name: "c", auto: true }))).toBe(
      "fresh",
    );
    expect(await after((cells) => void cells.push({ type: "text", id: "t", source: "" }))).toBe(
      "fresh",
    );
  });

  it("is kept when the cells it uses get other names", async () => {
    expect(
      await after((cells) => {
        Object.assign(cells[0]!, { name: "hund" });
        cells.splice(0, cells.length, ...cells.map((cell) => withRenamed(cell, "dog", "hund")));
      }),
    ).toBe("fresh");
    expect(await after((cells) => Object.assign(cells[0]!, { name: "hund" }))).toBe("stale");
  });

  it("follows what an upstream cell answered, not that it ran", async () => {
    const outputs = await runNotebook(context(notebook));
    const outputOf = (cell: Cell): Output | undefined => outputs.get(cell.id);
    const last = notebook.cells[2]!;
    outputs.set(
      "a",
      await runCell(
        notebook.cells[1] as AskingCell,
        { ...context(notebook), outputOf, now: () => "later" },
        () => {},
      ),
    );
    expect(freshness(notebook, last, outputs.get("b"), outputOf)).toBe("fresh");
    outputs.get("a")!.runs[0]!.answers[0]!.text = "other";
    expect(freshness(notebook, last, outputs.get("b"), outputOf)).toBe("stale");
  });
});

describe("side folders", () => {
  it("keep outputs by their content and refuse what was changed", async () => {
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
    await expect(
      unpackNotebook(packed.markdown, "n.md", () => Promise.resolve(new Uint8Array())),
    ).rejects.toThrow("want content of that sha256");
  });
});
