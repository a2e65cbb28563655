/** `tinygptv notebook run`: the playground's notebooks without a browser. */
import { finalText, remarkText, runNotebook } from "@tinygptv/notebook";
import type { AskingCell, Output, Remark } from "@tinygptv/notebook";
import { TinyGptvError } from "@tinygptv/protocol";
import { createEngine } from "tinygptv";
import { howToOpen } from "../commands/options.ts";
import type { ExecutionFlags } from "../commands/options.ts";
import { exitCodes } from "../terminal/failure.ts";
import { interruptible } from "../terminal/interrupt.ts";
import { noteWeights, printJson, printLine, table } from "../terminal/output.ts";
import { openFile } from "./openFile.ts";

export interface NotebookFlags extends ExecutionFlags {
  model: string;
  write?: boolean;
  json?: boolean;
}

export async function runFile(file: string, flags: NotebookFlags): Promise<void> {
  const { model, write, json } = flags;
  const { notebook, remarks, readPicture, save } = await openFile(file);
  refuseMistakes(file, remarks);
  const engine = createEngine({ models: [model], ...howToOpen(flags) });
  try {
    for (const info of await engine.models()) noteWeights(info);
    const outputs = await interruptible((signal) =>
      runNotebook(
        { notebook, engine, readPicture, signal, now: () => new Date().toISOString() },
        json ? printOutputJson : printOutput,
      ),
    );
    if (write) await save(({ id }) => outputs.get(id));
    const failed = [...outputs.values()].some(
      ({ runs, scoreError }) =>
        scoreError !== undefined || runs.some((run) => run.state !== "done"),
    );
    if (failed) process.exitCode = exitCodes.failure;
  } finally {
    await engine.close();
  }
}

/**
 * Nothing is run before a file is sound: a cell that cannot be read may be what others stand on.
 * @throws TinyGptvError "parameter" listing all mistakes
 */
function refuseMistakes(file: string, remarks: readonly Remark[]): void {
  const [mistakes, notes] = [
    remarks.filter(({ kind }) => kind === "mistake"),
    remarks.filter(({ kind }) => kind === "note"),
  ];
  for (const note of notes) process.stderr.write(`${file}: ${remarkText(note)}\n`);
  if (mistakes.length === 0) return;
  const count = mistakes.length === 1 ? "one mistake" : `${mistakes.length} mistakes`;
  const list = mistakes.map((mistake) => `\n  ${remarkText(mistake)}`).join("");
  throw new TinyGptvError("parameter", `${file}: nothing was run, it has ${count}:${list}`, {
    subject: file,
  });
}

function printOutputJson(cell: AskingCell, output: Output): void {
  printJson({ cell: cell.name ?? cell.id, type: cell.type, ...output });
}

function printOutput(cell: AskingCell, { runs, scoreError }: Output): void {
  printLine(`${cell.type} ${cell.name ?? ""}`.trimEnd());
  const rows = runs.map((run) => [
    `  ${run.label}`,
    run.error?.message ?? finalText(run),
    run.correct === undefined ? "" : run.correct ? "right" : `wrong, want ${run.expected}`,
  ]);
  printLine(table(rows));
  if (scoreError !== undefined) printLine(`  scores: ${scoreError.message}`);
}
