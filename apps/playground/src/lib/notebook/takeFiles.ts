import { TinyGptvError, sniffFormat } from "@tinygptv/protocol";
import type { App } from "#lib/state/app.svelte.ts";
import type { Library } from "#lib/state/library.svelte.ts";
import type { PictureTarget } from "#lib/state/pictureTarget.ts";
import { isNotebookFile, notebookExtensions } from "./openFile.ts";
import { placePicture } from "./placePicture.ts";
import { takePicture } from "./takePicture.ts";

/**
 * Files dropped on the page, pasted or chosen: pictures go where they were put
 * (a question, a picture cell), or become cells, one below the other; notebooks
 * are opened. What went wrong is said on the page, after everything else was taken.
 */
export async function takeFiles(
  files: Iterable<File>,
  app: App,
  library: Library | undefined,
  target?: PictureTarget,
): Promise<void> {
  const taken = [...files]; // the list of an event is empty once the event is over
  if (taken.length === 0) return;
  const problems: string[] = [];
  const changes: string[] = [];
  for (const file of taken) {
    try {
      if (isNotebookFile(file) && library !== undefined) await library.importFile(file);
      else changes.push(...(await take(file, app, taken.length > 1 ? several(target) : target)));
    } catch (error) {
      problems.push(error instanceof Error ? error.message : String(error));
    }
  }
  const said = [...problems, ...changes];
  if (said.length === 0) app.notices.drop("files");
  else {
    const kind = problems.length > 0 ? "error" : "info";
    app.notices.say({ about: "files", kind, text: said.join(" ") });
  }
}

/** Of several pictures none takes the place of another. */
const several = (target: PictureTarget | undefined): PictureTarget | undefined =>
  target && { ...target, replace: false };

async function take(file: File, app: App, target: PictureTarget | undefined): Promise<string[]> {
  const head = await file
    .slice(0, 1024)
    .arrayBuffer()
    .catch((cause: unknown) => {
      const message = `${file.name} cannot be read. If it is a folder, drop the files in it.`;
      throw new TinyGptvError("io", message, { cause });
    });
  const format = sniffFormat(new Uint8Array(head))?.name;
  if (
    format === "PDF" ||
    format === "HTML" ||
    (format === undefined && !file.type.startsWith("image/"))
  )
    throw new TinyGptvError(
      "parameter",
      `${file.name} is neither a picture nor a notebook (${notebookExtensions}).`,
    );
  if (app.notebook.readOnly)
    throw new TinyGptvError(
      "conflict",
      `${file.name} was not taken: this is a shared copy. Keep it as yours first.`,
    );
  const picture = await takePicture(file);
  placePicture(app.notebook, picture, target);
  return picture.change === undefined ? [] : [picture.change];
}
