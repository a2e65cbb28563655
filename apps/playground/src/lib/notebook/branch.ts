import { freeName } from "@tinygptv/notebook";
import type { Answer, Cell, CellOf } from "@tinygptv/notebook";
import type { TokenAlternative } from "@tinygptv/protocol";
import type { NotebookState } from "#lib/state/notebook.svelte.ts";
import { newId } from "./newId.ts";

/**
 * A new prompt cell below `cell` whose answer takes another token at `position`
 * and goes on freely from there. Rounds after the branched one are left out.
 */
export function branch(
  notebook: NotebookState,
  cell: CellOf<"prompt">,
  answer: Answer,
  position: number,
  { id }: TokenAlternative,
): Cell {
  const round = answer.request.rounds.length - 1;
  const answerPrefix = [...answer.tokens.slice(0, position).map((token) => token.id), id];
  const name = freeName(
    cell.name ?? "branch",
    notebook.cells.map((other) => other.name),
  );
  const copy = {
    ...cell,
    id: newId(),
    name,
    rounds: cell.rounds.slice(0, round + 1),
    answerPrefix,
  };
  const index = notebook.cells.findIndex((other) => other.id === cell.id);
  return notebook.insert(copy, index + 1, "Branch from a token");
}
