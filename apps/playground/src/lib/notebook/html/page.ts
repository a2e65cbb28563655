/** A notebook as one web page that needs nothing else: to mail, to archive, to print. */
import { keptIn, pictureUrl } from "@tinygptv/notebook";
import type { Notebook, OutputOf } from "@tinygptv/notebook";
import type { ModelInfo } from "@tinygptv/protocol";
import { renderMarkdown } from "../renderMarkdown.ts";
import { cardOf } from "./cell.ts";
import { markup, trusted } from "./markup.ts";
import { style } from "./style.ts";

export async function toHtml(
  notebook: Notebook,
  outputOf: OutputOf,
  models: readonly ModelInfo[],
  readPicture: (file: string) => Promise<Uint8Array>,
): Promise<string> {
  const pictures = new Map<string, string>();
  for (const cell of notebook.cells) {
    const shown = cell.type === "picture" && cell.file !== "" ? [cell.file] : keptIn(cell);
    for (const file of shown) {
      // The page says which pictures are missing; the rest of it is worth having.
      const bytes = await readPicture(file).catch(() => undefined);
      if (bytes !== undefined) pictures.set(file, pictureUrl(bytes));
    }
  }
  const context = { notebook, outputOf, models, pictures };
  const cells = notebook.cells.map((cell) =>
    cell.type === "text"
      ? markup`<section class="prose">${trusted(renderMarkdown(cell.source, pictures))}</section>\n`
      : markup`${cardOf(cell, context)}\n`,
  );
  const day = new Date().toISOString().slice(0, 10);
  return markup`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${notebook.title}</title><style>${trusted(style)}</style></head>
<body><p class="small"><bdi>${notebook.title}</bdi> · TinyGPT-V notebook${notebook.model !== undefined && ` · ${notebook.model}`} · ${day}</p>
${cells}</body></html>
`.html;
}
