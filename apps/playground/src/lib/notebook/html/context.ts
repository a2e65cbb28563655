import { cellNamed } from "@tinygptv/notebook";
import type { Notebook, OutputOf } from "@tinygptv/notebook";
import type { ModelInfo } from "@tinygptv/protocol";

/** What the parts of the page are made from. */
export interface PageContext {
  notebook: Notebook;
  outputOf: OutputOf;
  models: readonly ModelInfo[];
  /** Picture cell's file -> data URL. */
  pictures: ReadonlyMap<string, string>;
}

/** Address of a picture by the name of its cell. */
export function pictureNamed(name: string | undefined, context: PageContext): string | undefined {
  const cell = name === undefined ? undefined : cellNamed(context.notebook, name);
  return cell?.type === "picture" ? context.pictures.get(cell.file) : undefined;
}
