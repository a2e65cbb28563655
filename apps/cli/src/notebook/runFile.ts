/** `tinygptv notebook run`: the playground's notebooks without a browser. */
import { finalText, runNotebook } from "@tinygptv/notebook";
import type { AskingCell, Output } from "@tinygptv/notebook";
import { createEngine } from "tinygptv";
import { exitCodes } from "../terminal/failure.ts";
import { interruptible } from "../terminal/interrupt.ts";
import { noteWeights, printJson, printLine, table } from "../terminal/output.ts";
import { openFile } from "./openFile.ts";

export interface NotebookFlags {
  model: string;
  write?: boolean;
  json?: boolean;
}

export async function runFile(file: string, { model, write, json }: NotebookFlags): Promise<void> {
  const { notebook, readPicture, save } = await openFile(file);
  const engine = createEngine({ models: [model] });
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
