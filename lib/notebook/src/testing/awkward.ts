/** Notebooks and outputs as awkward as people and models write them, from a seed. */
import { isAsking } from "../cell.ts";
import { checkNotebook, type Notebook } from "../document.ts";
import { emptyAnswer, type Output, type Run } from "../output.ts";

type Pick = <T>(values: readonly T[]) => T;

function picker(seed: number): Pick {
  let state = seed;
  return (values) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return values[state % values.length] as (typeof values)[number];
  };
}

const pieces = [
  "a",
  "",
  " ",
  "---",
  "\\---",
  "```prompt x",
  "\\```prompt x",
  "````",
  "```",
  "```picture",
  "<!-- cell -->",
  "<!-- name: z -->",
  "# h",
  "{{dog}}",
  "- é 🐕",
  "\\",
  "key: value",
];

const textOf = (pick: Pick): string =>
  Array.from({ length: pick([0, 1, 2, 5]) }, () => pick(pieces)).join("\n");

export function awkwardNotebook(seed: number): Notebook {
  const pick = picker(seed);
  const text = (): string => textOf(pick);
  const cells = Array.from({ length: 8 }, (_, i): unknown => {
    const base = { id: `c${i + 1}`, ...(pick([true, false]) && { name: `n${i}` }) };
    return pick([
      { type: "text", source: text(), ...base },
      {
        type: "prompt",
        rounds: Array.from({ length: pick([1, 2, 3]) }, text),
        decoding: { stop: [text() || "x"] },
        ...base,
      },
      { type: "sweep", rounds: [text()], axes: [{ parameter: "seed", values: [1, 2] }], ...base },
      { type: "compare", rounds: [text()], columns: [{ label: text().trim() || "l" }], ...base },
      { type: "evaluate", items: [{ prompt: text(), answer: text() }], ...base },
      { type: "picture", file: "a b.png", alt: text(), ...base },
    ]);
  });
  return checkNotebook({ title: pick(["plain", "yes", "1.5", 'q: "#', "---"]), cells });
}

/** Outputs for some of a notebook's cells, by their ids. */
export function awkwardOutputs(notebook: Notebook, seed: number): Map<string, Output> {
  const pick = picker(seed);
  const outputs = new Map<string, Output>();
  for (const cell of notebook.cells) {
    if (!isAsking(cell) || pick([true, true, false])) continue;
    const runs = Array.from({ length: pick([0, 1, 3]) }, (_, i) => awkwardRun(pick, i));
    outputs.set(cell.id, {
      inputs: textOf(pick),
      at: "2026-01-01T00:00:00.000Z",
      runs,
      scores: [],
    });
  }
  return outputs;
}

function awkwardRun(pick: Pick, index: number): Run {
  const text = textOf(pick);
  const token = { id: index, text, logprob: pick([0, -0.1, -1e-9, -123.456]) };
  return {
    label: textOf(pick),
    ...(pick([true, false]) && { model: "nano:fp32" }),
    decoding: { stop: [text || "x"] },
    coordinates: { seed: index, template: pick(pieces), earlyStopping: pick([true, false]) },
    pictures: [textOf(pick)],
    state: pick(["done", "stopped", "error"]),
    answers: pick([
      [],
      [
        {
          ...emptyAnswer({ rounds: [{ prompt: textOf(pick), images: 1 }] }),
          text,
          tokens: [{ ...token, top: [token] }],
          boxes: [{ phrase: text, percent: [1, -2, 300, 4], pixels: [0, 0.5, 1, 2], image: 0 }],
          images: [{ hash: text, width: 1, height: 2, cached: true }],
        },
      ],
    ]),
    ...(pick([true, false]) && { error: { code: "engine", message: textOf(pick) } }),
    ...(pick([true, false]) && { expected: textOf(pick), correct: pick([true, false]) }),
  };
}
