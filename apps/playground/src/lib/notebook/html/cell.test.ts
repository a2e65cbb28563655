import { checkNotebook } from "@tinygptv/notebook";
import type { Answer, Output, Run } from "@tinygptv/notebook";
import { describe, expect, it } from "vitest";
import { cardOf } from "./cell.ts";

const hostile = `</style><script>alert(1)</script>"' onload='x`;
const models = [
  { id: "nano:fp32", fileBytes: 8_000_000, memoryBytes: 16_000_000, weights: "trained" },
  { id: "nano:int8", fileBytes: 2_000_000, memoryBytes: 4_000_000, weights: "random" },
] as never;

const answer = (text: string, ids = [1, 2], rest: Partial<Answer> = {}): Answer => ({
  request: { rounds: [{ prompt: "what is this?" }] },
  promptText: "",
  text,
  tokens: ids.map((id) => ({ id, text: `t${id}`, logprob: -0.5 })),
  beams: [],
  hypotheses: [],
  boxes: [],
  images: [],
  usage: { promptTokens: 1, imageTokens: 0, completionTokens: 2, cachedTokens: 0 },
  timings: { queue: 0, image: 1, prefill: 2, decode: 20, total: 23 },
  ...rest,
});
const run = (label: string, given: Answer, rest: Partial<Run> = {}): Run => ({
  label,
  model: "nano:fp32",
  decoding: {},
  coordinates: {},
  pictures: ["dog"],
  state: "done",
  answers: [given],
  ...rest,
});

/** The card of the last cell given; `runs` are what the cell called `asked` produced. */
function card(cells: object[], runs: Run[]): string {
  const notebook = checkNotebook({
    title: "t",
    cells: cells.map((cell, index) => ({ id: `c${index}`, ...cell })),
  });
  const output: Output = { inputs: "", at: "", runs, scores: [] };
  const cell = notebook.cells.at(-1);
  if (cell === undefined || cell.type === "text") throw new Error("want a card");
  return cardOf(cell, {
    notebook,
    outputOf: ({ name }) => (name === "asked" ? output : undefined),
    models,
    pictures: new Map([["dog.png", "data:image/png;base64,AAAA"]]),
  }).html;
}
const dog = { type: "picture", name: "dog", file: "dog.png", alt: "a dog" };
const compare = {
  type: "compare",
  name: "asked",
  rounds: ["what?"],
  columns: [{ label: "a" }, { label: "b" }],
};

describe("a cell on the page", () => {
  it("shows an answer with its boxes, tokens and times", () => {
    const box = { percent: [10, 20, 50, 60], pixels: [1, 2, 3, 4], image: 0 } as const;
    const given = answer("<p>a dog</p> {<10><20><50><60>}", [1, 2], {
      boxes: [{ ...box, phrase: "a dog", percent: [...box.percent], pixels: [...box.pixels] }],
    });
    const html = card(
      [dog, { type: "prompt", name: "asked", rounds: ["where?"] }],
      [run("asked", given)],
    );
    expect(html).toMatch(
      /<p dir="auto">where\?<\/p><div class="answer" dir="auto"><b [^>]*>a dog<\/b>/,
    );
    expect(html).toContain('<rect x="10" y="20" width="40" height="40"');
    expect(html).toContain('<span dir="auto" style="left:10%;top:20%">a dog</span>');
    expect(html).toContain('src="data:image/png;base64,AAAA"');
    expect(html).toContain('title="60.7%">t1</span>');
    expect(html).toContain("nano:fp32 · 2 tokens · 23 ms (queue 0.0 ms, image 1.0 ms,");
    expect(html).toContain("50.0 tokens/s");
  });

  it("sets a comparison side by side, with where the answers part and what was measured", () => {
    const html = card(
      [compare],
      [
        run("a", answer("a dog", [1, 2])),
        run("b", answer("a cat", [1, 3]), { model: "nano:int8" }),
      ],
    );
    expect(html).toContain("the same as a for 1 token, then different");
    expect(html).toContain("random weights");
    expect(html).toMatch(/<span class="parted first" [^>]*>t3<\/span>/);
    for (const measure of ["Latency", "Tokens per second", "Memory", "File size"])
      expect(html).toMatch(new RegExp(`<figcaption>${measure} <small>[^<]{20,}</small>`));
    expect(html).toContain("<b>8.00 MB</b>");
    expect(html).toMatch(/width:25.00%[^>]*><\/i><b>2.00 MB/);
  });

  it("lays a sweep out as a grid", () => {
    const axes = [
      { parameter: "temperature", values: [1, 2] },
      { parameter: "seed", values: [7, 8] },
    ];
    const runs = [1, 2].flatMap((temperature) =>
      [7, 8].map((seed) =>
        run("x", answer(`${temperature} and ${seed}`), { coordinates: { seed, temperature } }),
      ),
    );
    const html = card([{ type: "sweep", name: "asked", rounds: ["?"], axes }], runs);
    expect(
      html.match(/<th scope="(col|row)"[^>]*>[^<]*/g)?.map((th) => th.replace(/.*>/, "")),
    ).toEqual(["temperature ↓ seed →", "7", "8", "1", "2"]);
    expect(html).toMatch(/1 and 7.*1 and 8.*2 and 7.*2 and 8/s);
  });

  it("counts an evaluation and lists every answer", () => {
    const judged = (item: number, correct: boolean) =>
      run("nano:fp32", answer(`said ${item}`), { coordinates: { item }, expected: "x", correct });
    const html = card([{ type: "evaluate", name: "asked" }], [judged(1, true), judged(2, false)]);
    expect(html).toContain("<b>50.0 %</b>");
    expect(html).toMatch(/"good">✓ said 1.*"bad">✗ said 2/s);
  });

  it.each([
    ["bars", "label", 'class="bars"'],
    ["scatter", "fileBytes", "<circle"],
    ["lines", "fileBytes", "<polyline"],
  ])("draws a chart of %s", (mark, x, drawn) => {
    const chart = { type: "chart", source: "asked", mark, x, y: "total" };
    const html = card(
      [compare, chart],
      [run("a", answer("a")), run("b", answer("b"), { model: "nano:int8" })],
    );
    expect(html).toContain(drawn);
    expect(html).toContain("Latency");
    expect(card([compare, { ...chart, source: "none" }], [])).toContain("nothing to draw yet");
  });

  it("is never more than text where somebody wrote markup", () => {
    const given = answer(hostile, [1, 2], {
      tokens: [{ id: 1, text: hostile, logprob: -1 }],
      hypotheses: [hostile, hostile].map((text) => ({
        text,
        tokens: [],
        boxes: [],
        finishReason: "stop",
      })),
      boxes: [{ phrase: hostile, percent: [1, 2, 3, 4], pixels: [1, 2, 3, 4], image: 0 }],
    });
    const rest: Partial<Run> = {
      model: hostile,
      expected: hostile,
      error: { code: "engine", message: hostile },
      coordinates: { task: hostile, item: 1 },
      decoding: { stop: [hostile] },
    };
    const cells = [
      { type: "prompt", name: "asked", rounds: [hostile], decoding: { stop: [hostile] } },
      { ...compare, rounds: [hostile] },
      { type: "sweep", name: "asked", axes: [{ parameter: "task", values: [hostile] }] },
      { type: "evaluate", name: "asked", models: [hostile] },
      { type: "picture", file: "dog.png", alt: hostile },
      { type: "chart", source: "", x: hostile, y: hostile.slice(0, 60) },
    ];
    for (const cell of cells) {
      const html = card([dog, cell], [run(hostile, given, rest), run(hostile, given, rest)]);
      expect(html).not.toMatch(/<\/style|<script|onload='/);
      expect(html).not.toContain(`"' onload`);
    }
  });
});
