/** A report as one HTML file that needs nothing beside it. */
import type { Interval } from "./bootstrap.ts";
import { style } from "./pageStyle.ts";
import { thumbnailsOf, type Thumbnails } from "./pictures.ts";
import type { BenchmarkReport, Disagreement, ReportedRun, RunReport } from "./report.ts";
import { verdictOf } from "./verdict.ts";

/**
 * The page of a report.
 * @param data where the pictures are now, if not where the runs had them
 */
export async function reportPage(report: RunReport, data?: string): Promise<string> {
  const parts: string[] = [];
  for (const group of report) parts.push(section(group, await thumbnailsOf(group, data)));
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Evaluation</title>
<style>${style}</style>
<h1>Evaluation</h1>
${parts.join("\n")}
</html>
`;
}

const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};
const escape = (text: string): string => text.replace(/[&<>"]/g, (mark) => escapes[mark]!);

const percent = (figure: number): string => (100 * figure).toFixed(1);

function section(report: BenchmarkReport, pictures: Thumbnails): string {
  const { title, rules, runs } = report;
  const legend = rules.map(
    ({ name, description }) => `<dt>${escape(name)}<dd>${escape(description)}`,
  );
  return `<section>
<h2>${escape(title)}</h2>
${figuresTable(report)}
<p class="note">Bars and brackets: 95% of 1000 resampled runs (bootstrap). Differences are drawn over the same questions for both runs.</p>
<dl>${legend.join("")}</dl>
${typesTable(report)}
${disagreements(report, pictures)}
<details><summary>Settings</summary>${runs.map(settings).join("")}</details>
</section>`;
}

/** Figures of all runs on one scale: a bar for the interval, a mark for the figure. */
function bar({ value, low, high }: Interval, most: number): string {
  const at = (figure: number) => ((100 * figure) / most).toFixed(2);
  const width = ((100 * (high - low)) / most).toFixed(2);
  return `<span class="bar"><i style="left:${at(low)}%;width:${width}%"></i><b style="left:${at(value)}%"></b></span>`;
}

function figuresTable({ rules, runs }: BenchmarkReport): string {
  const head = rules.map(({ name }) => `<th colspan="2">${escape(name)}`).join("");
  const rows = runs.map((run) => {
    const cells = rules.map(({ name }) => {
      const interval = run.figures[name]!;
      const most = Math.max(1, ...runs.map(({ figures }) => figures[name]!.high));
      return `<td class="number">${percent(interval.value)} <small>${percent(interval.low)}–${percent(interval.high)}</small><td>${bar(interval, most)}`;
    });
    return `<tr><th>${escape(run.name)}<td class="number">${run.count}${cells.join("")}`;
  });
  return `<table><tr><th><th>questions${head}
${rows.join("\n")}
</table>${differencesTable(rules, runs)}`;
}

function differencesTable(
  rules: BenchmarkReport["rules"],
  [first, ...others]: readonly ReportedRun[],
): string {
  if (others.length === 0) return "";
  const rows = others.map(({ name, against }) => {
    const cells = rules.map((rule) => {
      const { value, low, high } = against!.differences[rule.name]!;
      const verdict = verdictOf({ value, low, high });
      return `<td class="number ${verdict.split(" ")[0]}">${percent(value)} <small>${percent(low)} to ${percent(high)}</small><td>${verdict}`;
    });
    return `<tr><th>${escape(name)}<td class="number">${against!.count}${cells.join("")}`;
  });
  const head = rules.map(({ name }) => `<th colspan="2">${escape(name)}`).join("");
  return `<h3>Against ${escape(first!.name)}</h3>
<table><tr><th><th>questions in common${head}
${rows.join("\n")}
</table>`;
}

function typesTable({ rules, runs }: BenchmarkReport): string {
  const types = [...new Set(runs.flatMap(({ byType }) => Object.keys(byType)))];
  if (types.length === 0) return "";
  const rule = rules[0]!.name;
  const rows = types.map((type) => {
    const cells = runs.map(({ byType }) => {
      const part = byType[type];
      if (part === undefined) return "<td><td>";
      const interval = part.figures[rule]!;
      return `<td class="number">${percent(interval.value)} <small>${percent(interval.low)}–${percent(interval.high)}</small><td>${bar(interval, Math.max(1, interval.high))}`;
    });
    const count = Math.max(...runs.map(({ byType }) => byType[type]?.count ?? 0));
    return `<tr><th>${escape(type)}<td class="number">${count}${cells.join("")}`;
  });
  const head = runs.map(({ name }) => `<th colspan="2">${escape(name)}`).join("");
  return `<h3>By kind of question (${escape(rule)})</h3>
<table><tr><th><th>questions${head}
${rows.join("\n")}
</table>`;
}

function disagreements(report: BenchmarkReport, pictures: Thumbnails): string {
  const { runs, disagreements: some, disagreementCount: count } = report;
  if (some.length === 0) return "";
  const what = runs.length > 1 ? "Where runs disagree" : "Answers with the fewest points";
  const missing =
    "missing" in pictures ? `<p class="note">No pictures: ${escape(pictures.missing)}</p>` : "";
  const cards = some.map((one) => card(one, runs, pictures));
  return `<h3>${what}</h3><p class="note">${some.length} of ${count}, by ${escape(report.rules[0]!.name)}.</p>${missing}
<div class="cards">${cards.join("\n")}</div>`;
}

function card(one: Disagreement, runs: readonly ReportedRun[], pictures: Thumbnails): string {
  const url = "missing" in pictures ? undefined : pictures.get(one.id);
  const picture =
    url === undefined ? "" : `<img src="${url}" alt="${escape(one.image)}" loading="lazy">`;
  const answers = one.answers.map(
    ({ text, points }, i) =>
      `<tr><th>${escape(runs[i]!.name)}<td>${escape(text) || "<em>nothing</em>"}<td class="number">${percent(points)}`,
  );
  const type = one.type === undefined ? "" : `<small>${escape(one.type)}</small>`;
  return `<article>${picture}<p>${escape(one.prompt)} ${type}</p><p>Right: ${escape(one.expected)}</p><table>${answers.join("")}</table></article>`;
}

function settings({ folder, settings: { scores: _scores, ...run } }: ReportedRun): string {
  return `<h4>${escape(folder)}</h4><pre>${escape(JSON.stringify(run, null, 2))}</pre>`;
}
