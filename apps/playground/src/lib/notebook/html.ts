/** A notebook as one web page that needs nothing else: to mail, to archive, to print. */
import {
  finalText,
  isAsking,
  outputTable,
  type Cell,
  type Output,
  type Run,
} from "tinygptv/notebook";
import type { NotebookState } from "#lib/state/notebook.svelte.ts";
import { describeDecoding } from "#lib/settings/decoding.ts";
import { renderMarkdown } from "./renderMarkdown.ts";

const style = `body{max-width:46rem;margin:2rem auto;padding:0 1rem;font:16px/1.55 system-ui,sans-serif;color:#1d2125;background:#f8f7f4}
section{margin:1.5rem 0}.card{padding:1rem;border:1px solid #e4e0d8;border-radius:.75rem;background:#fff}
img{max-width:16rem;border-radius:.5rem}.small{color:#5a6066;font-size:.8rem}.answer{margin-top:.5rem;padding:.5rem .75rem;border-left:3px solid #0f6e66;white-space:pre-wrap}
table{border-collapse:collapse;width:100%;font-size:.85rem}td,th{padding:.35rem .5rem;border-bottom:1px solid #e4e0d8;text-align:left}
.frame{position:relative;display:inline-block}.frame svg{position:absolute;inset:0;width:100%;height:100%}
@media(prefers-color-scheme:dark){body{background:#131517;color:#e9e7e3}.card{background:#1b1e21;border-color:#31363b}.small{color:#a5abb1}}`;

const escape = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

export async function toHtml(
  notebook: NotebookState,
  readPicture: (file: string) => Promise<Uint8Array<ArrayBuffer>>,
): Promise<string> {
  const pictures = new Map<string, string>();
  for (const cell of notebook.cells) {
    if (cell.type === "picture" && cell.file !== "")
      pictures.set(cell.name ?? cell.id, await dataUrl(await readPicture(cell.file)));
  }
  const body = notebook.cells
    .map((cell) => section(cell, notebook.outputOf(cell), pictures))
    .join("\n");
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escape(notebook.title)}</title><style>${style}</style></head>
<body><p class="small">TinyGPT-V notebook, ${new Date().toISOString().slice(0, 10)}</p>
${body}
</body></html>
`;
}

function section(
  cell: Cell,
  output: Output | undefined,
  pictures: ReadonlyMap<string, string>,
): string {
  if (cell.type === "text") return `<section>${renderMarkdown(cell.source)}</section>`;
  const name = cell.name === undefined ? "" : ` <code>${escape(cell.name)}</code>`;
  if (cell.type === "picture") {
    const source = pictures.get(cell.name ?? cell.id);
    return source === undefined
      ? ""
      : `<section class="card"><img src="${source}" alt="${escape(cell.alt ?? "")}"><p class="small">Picture${name}</p></section>`;
  }
  if (!isAsking(cell)) return "";
  const question =
    "rounds" in cell
      ? cell.rounds
          .map((round) => `<p>${cell.task ? `<b>[${cell.task}]</b> ` : ""}${escape(round)}</p>`)
          .join("")
      : "";
  return `<section class="card"><p class="small">${cell.type}${name} · ${escape(describeDecoding(cell.decoding))}</p>${question}${output === undefined ? "" : answers(output, pictures)}</section>`;
}

function answers(output: Output, pictures: ReadonlyMap<string, string>): string {
  const [only] = output.runs;
  if (output.runs.length === 1 && only !== undefined) {
    return (
      only.answers.map((answer) => `<div class="answer">${escape(answer.text)}</div>`).join("") +
      boxes(only, pictures)
    );
  }
  const rows = outputTable(output).map(
    (row) =>
      `<tr><td>${escape(String(row["label"] ?? ""))}</td><td>${escape(String(row["text"] ?? (row["accuracy"] === undefined ? "" : `${Number(row["accuracy"]).toFixed(1)}%`)))}</td><td>${row["total"] === undefined ? "" : `${Math.round(Number(row["total"]))} ms`}</td></tr>`,
  );
  return `<table><thead><tr><th>Run</th><th>Answer</th><th>Latency</th></tr></thead><tbody>${rows.join("")}</tbody></table>`;
}

function boxes(run: Run, pictures: ReadonlyMap<string, string>): string {
  const found = run.answers.at(-1)?.boxes ?? [];
  const source =
    found[0] === undefined ? undefined : pictures.get(run.pictures[found[0].image] ?? "");
  if (source === undefined) return "";
  const shapes = found.map(
    ({ percent: [x1, y1, x2, y2] }) =>
      `<rect x="${x1}" y="${y1}" width="${x2 - x1}" height="${y2 - y1}" fill="none" stroke="#d97706" stroke-width="2.5" vector-effect="non-scaling-stroke"/>`,
  );
  return `<p class="frame"><img src="${source}" alt="${escape(finalText(run))}"><svg viewBox="0 0 100 100" preserveAspectRatio="none">${shapes.join("")}</svg></p>`;
}

function dataUrl(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () =>
      resolve(String(reader.result).replace("application/octet-stream", "image/png"));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(new Blob([bytes]));
  });
}
