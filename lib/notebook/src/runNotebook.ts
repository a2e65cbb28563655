import { isAsking, type AskingCell, type Cell } from "./cell.ts";
import type { Output } from "./output.ts";
import { runOrder } from "./references.ts";
import type { RunContext } from "./context.ts";
import { runCell } from "./run.ts";

/**
 * Runs every asking cell of a notebook, top to bottom, each after those it uses.
 * @param done told of each output when its cell is finished
 * @returns outputs by cell id
 * @throws TinyGptvError where a cell is wrong as a whole; a failed run is in its output
 */
export async function runNotebook(
  context: Omit<RunContext, "outputOf">,
  done: (cell: AskingCell, output: Output) => void = () => {},
): Promise<Map<string, Output>> {
  const outputs = new Map<string, Output>();
  const outputOf = (cell: Cell): Output | undefined => outputs.get(cell.id);
  for (const cell of new Set(
    context.notebook.cells.flatMap((each) => runOrder(context.notebook, each)),
  )) {
    if (!isAsking(cell)) continue;
    const output = await runCell(cell, { ...context, outputOf }, () => {});
    outputs.set(cell.id, output);
    done(cell, output);
  }
  return outputs;
}
