import type { GenerateEvent, ImageInfo } from "../../events.ts";
import type { CompareEvent } from "../compare.ts";
import { toFinished, toFinishedBeam, toImages, toUsage } from "./answer.ts";
import { createTokenDealer, logprobsOf } from "./tokens.ts";

/** Which answer of a comparison an event belongs to. */
export type CompareTag = Pick<CompareEvent, "run" | "model" | "parameter_set">;

/** One answer's events as those of its comparison; tokens travel with the text they are of. */
export function createCompareWriter(
  tag: CompareTag,
  logprobs: boolean,
): (event: GenerateEvent) => CompareEvent[] {
  const dealer = createTokenDealer();
  let images: ImageInfo[] = [];
  return (event) => {
    switch (event.type) {
      case "start":
        images = event.images;
        return [{ type: "start", ...tag, prompt: event.promptText, images: toImages(images) }];
      case "token":
        dealer.push(event.token);
        return [];
      case "delta": {
        const { text } = event;
        const tokens = dealer.advance(text);
        return [{ type: "delta", ...tag, text, logprobs: logprobs ? tokens : null }];
      }
      case "beams":
        return [{ type: "beams", ...tag, hypotheses: event.hypotheses }];
      case "end": {
        const best = event.hypotheses[0]!;
        const { score, ...finished } = toFinished(best, event);
        const rest = logprobs ? dealer.end().content : [];
        return [
          ...(rest.length > 0
            ? [{ type: "delta" as const, ...tag, text: "", logprobs: rest }]
            : []),
          {
            type: "end",
            ...tag,
            text: best.text,
            logprobs: logprobsOf(best, logprobs)?.content ?? null,
            ...finished,
            ...(score !== undefined && {
              hypotheses: event.hypotheses.map((one) => toFinishedBeam(one, logprobs)),
            }),
            usage: toUsage(images, [event.usage]),
          },
        ];
      }
    }
  };
}
