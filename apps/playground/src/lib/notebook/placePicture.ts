import { freeName, isAsking } from "@tinygptv/notebook";
import type { AskingCell } from "@tinygptv/notebook";
import type { NotebookState } from "#lib/state/notebook.svelte.ts";
import type { PictureTarget } from "#lib/state/pictureTarget.ts";
import { cellNameOf, type TakenPicture } from "./takePicture.ts";

/**
 * Puts a picture from outside where it was meant for: into the picture cell that
 * waits for one or is to take another, into a question (as a cell above it),
 * with a question of its own into an empty notebook, else below the selected
 * cell. One step to take back.
 */
export function placePicture(
  notebook: NotebookState,
  { file, alt }: Pick<TakenPicture, "file" | "alt">,
  target?: PictureTarget,
): void {
  const cell = notebook.cell(target?.cell);
  if (cell?.type === "picture" && (cell.file === "" || target?.replace))
    return notebook.change(cell, { file, alt }, "Change picture");
  const name = freeName(
    cellNameOf(alt),
    notebook.cells.map((other) => other.name),
  );
  const at = notebook.cells.findIndex(({ id }) => id === (cell?.id ?? notebook.selected));
  if (notebook.cells.length === 0) {
    notebook.history.group("Add picture and question", () => {
      notebook.add("picture", 0, { file, alt, name });
      notebook.add("prompt", 1);
    });
  } else if (cell === undefined || !isAsking(cell)) {
    notebook.add("picture", at === -1 ? notebook.cells.length : at + 1, { file, alt, name });
  } else {
    notebook.history.group("Add picture to the question", () => {
      notebook.add("picture", at, { file, alt, name });
      attach(notebook, cell, name, target?.item);
    });
    notebook.forgetAdded(); // whoever writes goes on writing
    notebook.select(cell.id);
  }
}

/** @param item question of an evaluation, from 0: its first unless given */
function attach(notebook: NotebookState, cell: AskingCell, name: string, item = 0): void {
  const label = "Change pictures";
  if (cell.type !== "evaluate")
    return notebook.change(cell, { pictures: [...cell.pictures, name] }, label);
  const items = cell.items.map((each, i) => (i === item ? { ...each, pictures: [name] } : each));
  notebook.change(cell, { items }, label);
}
