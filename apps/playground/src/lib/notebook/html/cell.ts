import { cellNamed, isAsking, levelOf, outputTable } from "@tinygptv/notebook";
import type { AskingCell, Cell, CellOf, Output } from "@tinygptv/notebook";
import { describeDecoding } from "#lib/settings/decoding.ts";
import { figureTable, trainingWords } from "#lib/fineTuning/figures.ts";
import { answerOf, problemOf } from "./answer.ts";
import { bars, points } from "./charts.ts";
import type { PageContext } from "./context.ts";
import { markup, type Markup } from "./markup.ts";
import { results } from "./results.ts";

/** Any cell but a text as a part of the page. */
export function cardOf(cell: Exclude<Cell, { type: "text" }>, context: PageContext): Markup {
  const name = cell.name !== undefined && markup` <code>${cell.name}</code>`;
  if (isAsking(cell)) {
    const output = context.outputOf(cell);
    const parts = [
      describeDecoding(cell.decoding),
      ...about(cell),
      ...untrained(output, context),
    ].join(" · ");
    return markup`<section class="card"><p class="small">${cell.type}${name} · ${parts}</p>
${asked(cell, output, context)}</section>`;
  }
  if (cell.type === "faulty")
    return markup`<section class="card"><pre>${cell.source}</pre></section>`;
  const body =
    cell.type === "chart"
      ? chart(cell, context)
      : cell.type === "finetune"
        ? training(cell)
        : picture(cell, context);
  return markup`<section class="card">${body}<p class="small">${cell.type}${name}</p></section>`;
}

const about = (cell: AskingCell): string[] =>
  "pictures" in cell && cell.pictures.length > 0 ? [`about ${cell.pictures.join(", ")}`] : [];

/** Weights nobody trained are named beside what they answered. */
function untrained(output: Output | undefined, { models }: PageContext): string[] {
  const used = new Set(output?.runs.map(levelOf));
  const weights = models.filter(({ id }) => used.has(id)).map((model) => model.weights);
  return [...new Set(weights)].flatMap((each) => (each === "trained" ? [] : [`${each} weights`]));
}

function picture(cell: CellOf<"picture">, { pictures }: PageContext): Markup {
  const source = pictures.get(cell.file);
  const alt = cell.alt ?? cell.name ?? "picture";
  return source === undefined
    ? markup`<p class="small">${alt}: the picture was not there when this page was written.</p>`
    : markup`<img src="${source}" alt="${alt}">`;
}

/** A prompt's answers stand below their questions, round by round. */
function asked(cell: AskingCell, output: Output | undefined, context: PageContext): Markup {
  const only = cell.type === "prompt" ? output?.runs[0] : undefined;
  const rounds = "rounds" in cell ? cell.rounds : [];
  const task =
    "task" in cell && cell.task !== undefined && markup`<b dir="ltr">[${cell.task}]</b> `;
  return markup`${rounds.map((round, index) => {
    const answer = only?.answers[index];
    return markup`<p dir="auto">${index === 0 && task}${round}</p>${only && answer && answerOf(only, answer, context)}`;
  })}${only && problemOf(only)}${output && results(cell, output, context)}`;
}

/** What was set, and how it went. */
function training(cell: CellOf<"finetune">): Markup {
  const { columns, rows } = figureTable(cell.figures);
  return markup`<p>${trainingWords(cell)}</p>${
    rows.length > 0 &&
    markup`<table><thead><tr>${columns.map((column) => markup`<th>${column}</th>`)}</tr></thead><tbody>${rows.map(
      (row) => markup`<tr>${row.map((field) => markup`<td>${field}</td>`)}</tr>`,
    )}</tbody></table>`
  }`;
}

function chart(cell: CellOf<"chart">, context: PageContext): Markup {
  const source = cellNamed(context.notebook, cell.source);
  const output = source && context.outputOf(source);
  const rows = output === undefined ? [] : outputTable(output, context.models);
  const drawn =
    cell.mark === "bars"
      ? bars(rows, cell.y, cell.x)
      : points(rows, cell.x, cell.y, cell.mark === "lines");
  return drawn ?? markup`<p class="small">${cell.source || "chart"}: nothing to draw yet.</p>`;
}
