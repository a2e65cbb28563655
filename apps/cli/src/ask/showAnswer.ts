import { TinyGptvError } from "tinygptv/errors";
import type { GenerateEvent } from "tinygptv/protocol";
import { coloursFor, formatSeconds, isTerminal, note, printLine } from "../terminal/output.ts";
import type { End } from "./answerRecord.ts";

/** Writes the answer as it comes to standard output, what it took to standard error. */
export async function showAnswer(events: AsyncIterable<GenerateEvent>): Promise<End> {
  let isStreamed = false;
  for await (const event of events) {
    if (event.type === "delta") {
      isStreamed = true;
      process.stdout.write(event.text);
    } else if (event.type === "beams") {
      preview(event.hypotheses[0]?.text ?? "");
    } else if (event.type === "end") {
      preview("");
      if (isStreamed) printLine("");
      else for (const line of answerLines(event)) printLine(line);
      note(coloursFor(process.stderr).dim(timingLine(event)));
      return event;
    }
  }
  throw new TinyGptvError("engine", "answer: want an end, got none");
}

/** The currently best beam, which the next step may replace: only where a line can be taken back. */
function preview(text: string): void {
  if (!isTerminal(process.stderr)) return;
  const line = text.replace(/\s+/g, " ").slice(-(process.stderr.columns - 1));
  process.stderr.write(`\r\u001b[K${coloursFor(process.stderr).dim(line)}`);
}

function answerLines({ hypotheses }: End): string[] {
  if (hypotheses.length === 1) return [hypotheses[0]!.text];
  return hypotheses.map(({ text, score }) => `${score?.toFixed(3) ?? ""}\t${text}`);
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
