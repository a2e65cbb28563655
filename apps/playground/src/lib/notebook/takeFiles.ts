import { TinyGptvError } from "@tinygptv/protocol";
import type { App } from "#lib/state/app.svelte.ts";
import type { Library } from "#lib/state/library.svelte.ts";
import { isNotebookFile, notebookExtensions } from "./openFile.ts";
import { takePicture } from "./takePicture.ts";

/**
 * Files dropped on the page or pasted: pictures become cells, one below the
 * other, and notebooks are opened. What went wrong is said on the page, after
 * everything else was taken.
 */
export async function takeFiles(files: Iterable<File>, app: App, library: Library): Promise<void> {
  const taken = [...files]; // the list of an event is empty once the event is over
  if (taken.length === 0) return;
  const problems: string[] = [];
  for (const file of taken) {
    try {
      await takeFile(file, app, library);
    } catch (error) {
      problems.push(error instanceof Error ? error.message : String(error));
    }
  }
  app.problem = problems.length === 0 ? undefined : problems.join(" ");
}

async function takeFile(file: File, app: App, library: Library): Promise<void> {
  if (isNotebookFile(file)) return library.importFile(file);
  if (!file.type.startsWith("image/"))
    throw new TinyGptvError(
      "parameter",
      `${file.name}: want a picture, or a notebook (${notebookExtensions})`,
    );
  if (app.notebook.readOnly)
    throw new TinyGptvError(
      "conflict",
      `${file.name}: want a notebook of your own, this is a shared copy; keep it first`,
    );
  app.notebook.addPicture(await takePicture(file), file.name);
}
