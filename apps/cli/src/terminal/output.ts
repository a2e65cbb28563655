import { createColors } from "picocolors";
import type { ModelInfo } from "@tinygptv/protocol";

/** Node leaves `isTTY` out where the stream is none, whatever its types say. */
export type TerminalStream = Pick<NodeJS.WriteStream, "write"> & { isTTY?: boolean };

/** Colours for a stream: only on a terminal, and not where NO_COLOR is set (no-color.org). */
export function coloursFor(stream: TerminalStream): ReturnType<typeof createColors> {
  return createColors(isTerminal(stream) && !process.env["NO_COLOR"]);
}

export function isTerminal(stream: TerminalStream): boolean {
  // Never undefined: picocolors would then decide by itself, and colour where CI is set.
  return stream.isTTY ?? false;
}

/** One line of results. */
export function printLine(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function printJson(value: unknown): void {
  printLine(JSON.stringify(value));
}

/** One line about the work; never part of the results. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Weights nobody trained are named wherever they answer. */
export function noteWeights({ id, weights }: Pick<ModelInfo, "id" | "weights">): void {
  if (weights !== "trained")
    note(`${id} has ${weights} weights, which nobody trained: its answers mean nothing.`);
}

/** A reader that has seen enough (`| head`) is no error: the program ends quietly. */
export function tolerateClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
      process.exit(process.exitCode);
    });
  }
}

/** Aligned columns; numbers to the right. */
export function table(rows: readonly (readonly (string | number)[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, String(cell).length)));
  }
  const line = (row: readonly (string | number)[]) =>
    row
      .map((cell, i) => {
        const width = widths[i] ?? 0;
        return typeof cell === "number" ? String(cell).padStart(width) : cell.padEnd(width);
      })
      .join("  ")
      .trimEnd();
  return rows.map(line).join("\n");
}

const units = ["B", "kB", "MB", "GB", "TB"];

/** `1536` -> `1.5 kB` (decimal units, three figures) */
export function formatBytes(bytes: number): string {
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const value = bytes / 1000 ** power;
  return `${power === 0 ? value : value.toPrecision(3)} ${units[power]}`;
}

/** `0.48 s`, `12 s`, `3 min 05 s` */
export function formatSeconds(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(2)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
}
