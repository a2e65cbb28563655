import { TinyGptvError } from "@tinygptv/protocol";
import type { GenerateEvent } from "@tinygptv/protocol";
import { coloursFor, formatSeconds, isTerminal } from "../terminal/output.ts";
import type { TerminalStream } from "../terminal/output.ts";
import type { End } from "./answerRecord.ts";

export interface Streams {
  stdout: TerminalStream;
  stderr: TerminalStream & { columns?: number };
}

/** Writes the answer as it comes to standard output, what it took to standard error. */
export async function showAnswer(
  events: AsyncIterable<GenerateEvent>,
  { stdout, stderr }: Streams = process,
): Promise<End> {
  let isStreamed = false;
  for await (const event of events) {
    if (event.type === "delta") {
      isStreamed = true;
      stdout.write(event.text);
    } else if (event.type === "beams") {
      preview(stderr, event.hypotheses[0]?.text ?? "");
    } else if (event.type === "end") {
      if (isStreamed) {
        stdout.write("\n");
      } else {
        preview(stderr, ""); // only here: a streamed answer stands on the line this clears
        stdout.write(answerLines(event));
      }
      stderr.write(`${coloursFor(stderr).dim(timingLine(event))}\n`);
      return event;
    }
  }
  throw new TinyGptvError("engine", "answer: want an end, got none");
}

/** The currently best beam, which the next step may replace: only where a line can be taken back. */
function preview(stderr: Streams["stderr"], text: string): void {
  if (!isTerminal(stderr)) return;
  const line = text.replace(/\s+/g, " ").slice(1 - (stderr.columns || 80));
  stderr.write(`\r\u001b[K${coloursFor(stderr).dim(line)}`);
}

function answerLines({ hypotheses }: End): string {
  if (hypotheses.length === 1) return `${hypotheses[0]!.text}\n`;
  return hypotheses.map(({ text, score }) => `${score?.toFixed(3) ?? ""}\t${text}\n`).join("");
}

function timingLine({ timings, usage }: End): string {
  const seconds = (ms: number) => formatSeconds(ms / 1000);
  const rate = usage.completionTokens / (timings.decode / 1000);
  return [
    seconds(timings.total),
    `picture ${seconds(timings.image)}`,
    `prompt ${seconds(timings.prefill)} (${usage.promptTokens} tokens)`,
    `answer ${seconds(timings.decode)} (${usage.completionTokens} tokens, ${rate.toFixed(0)} a second)`,
  ].join(" · ");
}
