import { parts } from "#lib/components/lazy/parts.ts";
import type { App } from "./app.svelte.ts";

type Files = typeof import("#lib/notebook/files.ts");

/** Writes a file with what is loaded for it; what hinders that is said on the page. */
export function download(app: App, write: (files: Files) => unknown): void {
  parts.files
    .load()
    .then(write)
    .catch((error: unknown) => app.notices.blame("files", error));
}
