/** What cells with several runs show, by their type. */
import { finalText, firstDivergence, outputTable } from "@tinygptv/notebook";
import type { AskingCell, CellOf, Output, Run } from "@tinygptv/notebook";
import { milliseconds } from "#lib/components/answer/format.ts";
import { seriesColour } from "#lib/components/answer/segments.ts";
import { describeDecoding } from "#lib/settings/decoding.ts";
import { partsFrom } from "#lib/words.ts";
import { answerOf, problemOf } from "./answer.ts";
import { bars, points } from "./charts.ts";
import type { PageContext } from "./context.ts";
import { markup, type Markup } from "./markup.ts";

export function results(cell: AskingCell, output: Output, context: PageContext): Markup {
  if (cell.type === "compare") return comparison(cell, output, context);
  if (cell.type === "sweep") return grid(cell, output);
  if (cell.type === "evaluate") return evaluation(output, context);
  return markup``; // a prompt's answers stand below its questions
}

function comparison(cell: CellOf<"compare">, output: Output, context: PageContext): Markup {
  const first = output.runs[0]?.answers.at(-1)?.tokens ?? [];
  const columns = output.runs.map((run, index) => {
    const answer = run.answers.at(-1);
    const compared = index > 0 && run.state === "done" && answer !== undefined;
    const divergence = compared ? firstDivergence(first, answer.tokens) : undefined;
    return markup`<div class="column" style="border-top-color:${seriesColour(index)}"><h3 dir="auto">${run.label}</h3><p class="small">${describeDecoding(run.decoding)}</p>
${answer && answerOf(run, answer, context, divergence)}${problemOf(run)}${compared && verdict(output, divergence)}</div>`;
  });
  const rows = outputTable(output, context.models);
  const measures = ["total", "tokensPerSecond", "memoryBytes", "fileBytes"];
  return markup`<div class="columns">${columns}</div>
<div class="charts">${measures.map((measure) => bars(rows, measure))}</div>${
    cell.together === true &&
    markup`<p class="small">All columns ran at once: their times share one machine and cannot be compared with single runs.</p>`
  }`;
}

const verdict = ({ runs }: Output, divergence: number | undefined): Markup =>
  markup`<p class="small${divergence !== undefined && " bad"}">${partsFrom(runs[0]?.label ?? "", divergence)}</p>`;

function grid(cell: CellOf<"sweep">, { runs }: Output): Markup {
  // By what the runs have: the axes may have been changed since.
  const order = cell.axes.map(({ parameter }) => parameter);
  const [down, across] = Object.keys(runs[0]?.coordinates ?? {}).toSorted(
    (a, b) => order.indexOf(a) - order.indexOf(b),
  );
  const valuesOf = (parameter: string | undefined) => [
    ...new Set(runs.map((run) => (parameter === undefined ? "" : run.coordinates[parameter]))),
  ];
  const at = (run: Run, parameter: string | undefined, value: unknown): boolean =>
    parameter === undefined || run.coordinates[parameter] === value;
  const columns = valuesOf(across);
  const rows = valuesOf(down).map((row) => {
    const cells = columns.map((column) =>
      runs.find((run) => at(run, down, row) && at(run, across, column)),
    );
    return markup`<tr><th scope="row" dir="auto">${String(row)}</th>${cells.map((run) => markup`<td dir="auto">${run && runText(run)}</td>`)}</tr>`;
  });
  const distinct = new Set(runs.map(finalText).filter((text) => text !== "")).size;
  return markup`<table><caption>${distinct} different answers in ${runs.length} runs</caption><thead><tr><th scope="col">${down}${across && ` ↓ ${across} →`}</th>${columns.map((column) => markup`<th scope="col">${across === undefined ? "answer" : String(column)}</th>`)}</tr></thead><tbody>${rows}</tbody></table>`;
}

function runText(run: Run): Markup {
  const total = run.answers.at(-1)?.timings?.total;
  return markup`${finalText(run)} ${problemOf(run)}${total !== undefined && markup` <span class="small">${milliseconds(total)}</span>`}`;
}

function evaluation(output: Output, context: PageContext): Markup {
  const rows = outputTable(output, context.models);
  const labels = [...new Set(output.runs.map((run) => run.label))];
  const items = [...new Set(output.runs.map((run) => run.coordinates["item"]))];
  const answers = items.map((item) => {
    const asked = output.runs.filter((run) => run.coordinates["item"] === item);
    const question = asked[0]?.answers.at(-1)?.request.rounds.at(-1)?.prompt ?? String(item);
    const given = labels.map((label) => judged(asked.find((run) => run.label === label)));
    return markup`<tr><td dir="auto">${question}</td><td dir="auto">${asked[0]?.expected}</td>${given}</tr>`;
  });
  return markup`<div class="charts">${bars(rows, "accuracy")}${bars(rows, "total")}</div>
${labels.length > 1 && points(rows, "fileBytes", "accuracy", false)}
<table><thead><tr><th scope="col">Question</th><th scope="col">Expected</th>${labels.map((label) => markup`<th scope="col">${label}</th>`)}</tr></thead><tbody>${answers}</tbody></table>`;
}

function judged(run: Run | undefined): Markup {
  if (run?.correct === undefined) return markup`<td dir="auto">${run && runText(run)}</td>`;
  return markup`<td dir="auto" class="${run.correct ? "good" : "bad"}">${run.correct ? "✓" : "✗"} ${finalText(run)}</td>`;
}
