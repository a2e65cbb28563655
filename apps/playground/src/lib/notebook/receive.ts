import { on } from "svelte/events";
import type { App } from "#lib/state/app.svelte.ts";
import type { Library } from "#lib/state/library.svelte.ts";
import { cellItem, isEditing } from "#lib/state/focus.ts";
import { targetAt, type PictureTarget } from "#lib/state/pictureTarget.ts";
import { takeFiles } from "./takeFiles.ts";

const hasFiles = (transfer: DataTransfer | null): boolean =>
  transfer?.types.includes("Files") ?? false;

/**
 * Takes files that are dropped anywhere on the page or pasted. Before anything
 * else on the page sees them: an editor would take the source of a file for text.
 * @returns how to stop
 */
export function receive(app: App, library: Library): () => void {
  const before = { capture: true, passive: false };
  const ends = [
    on(
      window,
      "dragover",
      (event) => {
        if (!hasFiles(event.dataTransfer)) return;
        claim(event);
        if (event.dataTransfer !== null) event.dataTransfer.dropEffect = "copy";
        app.dropping = targetAt(event.target)?.cell ?? "page";
      },
      before,
    ),
    // Leaving for another element of the page names that one; leaving the page names none.
    on(
      window,
      "dragleave",
      (event) => {
        if (event.relatedTarget === null) app.dropping = undefined;
      },
      before,
    ),
    on(
      window,
      "drop",
      (event) => {
        app.dropping = undefined;
        if (!hasFiles(event.dataTransfer)) return;
        claim(event);
        void takeFiles(event.dataTransfer?.files ?? [], app, library, targetAt(event.target));
      },
      before,
    ),
    on(
      window,
      "paste",
      (event) => {
        const files = event.clipboardData?.files ?? [];
        // Office programs put a picture of the text beside it; a text field wants the text.
        const asText =
          isEditing(event.target) && event.clipboardData?.types.includes("text/plain") === true;
        if (files.length === 0 || asText) return;
        claim(event);
        void takeFiles(files, app, library, pasteTarget(event.target, app));
      },
      before,
    ),
  ];
  return () => ends.forEach((end) => end());
}

/** The cell with the focus in it or on it; else the selected one where that waits for a picture. */
function pasteTarget(focused: EventTarget | null, { notebook }: App): PictureTarget | undefined {
  const target =
    targetAt(focused) ?? targetAt(cellItem(focused)?.querySelector("[data-cell]") ?? null);
  const cell = notebook.cell(notebook.selected);
  const waits = cell?.type === "picture" && cell.file === "";
  return target ?? (waits ? { cell: cell.id } : undefined);
}

function claim(event: Event): void {
  event.preventDefault();
  event.stopPropagation();
}
