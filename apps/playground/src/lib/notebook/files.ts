/** Notebooks as files a person downloads. */
import { strToU8, zipSync } from "fflate";
import { outputTable, packNotebook, toCsv, toIpynb, toMarkdown } from "@tinygptv/notebook";
import type { AskingCell, Output } from "@tinygptv/notebook";
import type { App } from "#lib/state/app.svelte.ts";
import { readPicture } from "#lib/storage/pictures.ts";
import { toHtml } from "./html/page.ts";

const writers = {
  markdown: writeMarkdown,
  plain: ({ notebook }: App, name: string) =>
    Promise.resolve(
      new File([toMarkdown(notebook.snapshot())], `${name}.md`, { type: "text/markdown" }),
    ),
  ipynb: async ({ notebook }: App, name: string) =>
    new File(
      [await toIpynb(notebook.snapshot(), ({ id }) => notebook.outputs.whole(id), readPicture)],
      `${name}.ipynb`,
      { type: "application/x-ipynb+json" },
    ),
  html: async ({ notebook, connection }: App, name: string) =>
    new File(
      [await toHtml(notebook.snapshot(), notebook.outputOf, connection.models, readPicture)],
      `${name}.html`,
      { type: "text/html" },
    ),
};

/** What cannot be written is said on the page. */
export async function downloadNotebook(app: App, format: keyof typeof writers): Promise<void> {
  try {
    save(await writers[format](app, fileName(app.notebook.title, "notebook")));
    app.notices.drop("files");
  } catch (error) {
    app.notices.blame("files", error);
  }
}

/** The numbers of a sweep, a comparison or an evaluation for a spreadsheet. */
export function downloadTable(app: App, cell: AskingCell, output: Output): void {
  const csv = toCsv(outputTable(output, app.connection.models));
  save(new File([csv], `${fileName(cell.name ?? "", cell.type)}.csv`, { type: "text/csv" }));
}

const fileName = (title: string, otherwise: string): string =>
  title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "") || otherwise;

function save(file: File): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = file.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** The file alone where nothing lies beside it, otherwise a zip with the side folder. */
async function writeMarkdown({ notebook }: App, name: string): Promise<File> {
  const { markdown, files } = await packNotebook(
    notebook.snapshot(),
    ({ id }) => notebook.outputs.whole(id),
    readPicture,
  );
  if (files.size === 0) return new File([markdown], `${name}.md`, { type: "text/markdown" });
  const folder = Object.fromEntries(
    [...files].map(([file, bytes]) => [`${name}.files/${file}`, bytes]),
  );
  return new File([zipSync({ [`${name}.md`]: strToU8(markdown), ...folder })], `${name}.zip`, {
    type: "application/zip",
  });
}
