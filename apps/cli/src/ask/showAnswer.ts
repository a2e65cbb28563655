import { answerOf } from "@tinygptv/protocol";
import type { FinishedAnswer, GenerateEvent } from "@tinygptv/protocol";
import { coloursFor, formatSeconds, isTerminal } from "../terminal/output.ts";
import type { TerminalStream } from "../terminal/output.ts";

export interface Streams {
  stdout: TerminalStream;
  stderr: TerminalStream & { columns?: number };
}

/** Writes the answer as it comes to standard output, what it took to standard error. */
export async function showAnswer(
  events: AsyncIterable<GenerateEvent>,
  { stdout, stderr }: Streams = process,
): Promise<FinishedAnswer> {
  let isStreamed = false;
  async function* shown(): AsyncGenerator<GenerateEvent> {
    for await (const event of events) {
      if (event.type === "delta") stdout.write(event.text);
      if (event.type === "beams") preview(stderr, event.hypotheses[0]?.text ?? "");
      isStreamed ||= event.type === "delta";
      yield event;
    }
  }
  const answer = await answerOf(shown());
  if (isStreamed) {
    stdout.write("\n");
  } else {
    preview(stderr, ""); // only here: a streamed answer stands on the line this clears
    stdout.write(answerLines(answer));
  }
  stderr.write(`${coloursFor(stderr).dim(timingLine(answer))}\n`);
  return answer;
}

/** The currently best beam, which the next step may replace: only where a line can be taken back. */
function preview(stderr: Streams["stderr"], text: string): void {
  if (!isTerminal(stderr)) return;
  const line = text.replace(/\s+/g, " ").slice(1 - (stderr.columns || 80));
  stderr.write(`\r\u001b[K${coloursFor(stderr).dim(line)}`);
}

function answerLines({ hypotheses }: FinishedAnswer): string {
  if (hypotheses.length === 1) return `${hypotheses[0]!.text}\n`;
  return hypotheses.map(({ text, score }) => `${score?.toFixed(3) ?? ""}\t${text}\n`).join("");
}

function timingLine({ timings, usage }: FinishedAnswer): string {
  const seconds = (ms: number) => formatSeconds(ms / 1000);
  const rate = usage.completionTokens / (timings.decode / 1000);
  return [
    seconds(timings.total),
    `picture ${seconds(timings.image)}`,
    `prompt ${seconds(timings.prefill)} (${usage.promptTokens} tokens)`,
    `answer ${seconds(timings.decode)} (${usage.completionTokens} tokens, ${rate.toFixed(0)} a second)`,
  ].join(" · ");
}
