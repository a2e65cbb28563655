/** `tinygptv notebook run`: the playground's notebooks without a browser. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { createEngine } from "tinygptv";
import { TinyGptvError } from "tinygptv/errors";
import {
  finalText,
  isKeptContent,
  packNotebook,
  runNotebook,
  sideFileName,
  unpackNotebook,
  type AskingCell,
  type Output,
} from "tinygptv/notebook";
import { exitCodes } from "../terminal/failure.ts";
import { interruptible } from "../terminal/interrupt.ts";
import { printJson, printLine, table } from "../terminal/output.ts";

export interface NotebookFlags {
  model: string;
  write?: boolean;
  json?: boolean;
}

export async function runFile(file: string, { model, write, json }: NotebookFlags): Promise<void> {
  const folder = file.replace(/\.md$/, ".files");
  const readSide = (name: string) => readFile(join(folder, name)).catch(() => undefined);
  const { notebook } = await unpackNotebook(await readFile(file, "utf8"), basename(file), readSide);
  const readPicture = (name: string) =>
    readFile(
      isKeptContent(name) ? join(folder, sideFileName(name)) : join(dirname(file), name),
    ).catch((cause: unknown) => {
      throw new TinyGptvError("image", `${name}: want a picture, it cannot be read`, {
        cause,
        subject: name,
      });
    });
  const engine = createEngine({ models: [model] });
  try {
    const outputs = await interruptible((signal) =>
      runNotebook(
        { notebook, engine, readPicture, signal, now: () => new Date().toISOString() },
        json ? printOutputJson : printOutput,
      ),
    );
    if (write) {
      const packed = await packNotebook(notebook, (cell) => outputs.get(cell.id), readPicture);
      await mkdir(folder, { recursive: true });
      for (const [name, bytes] of packed.files) await writeFile(join(folder, name), bytes);
      await writeFile(file, packed.markdown);
    }
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
