/** From decoded tokens to what a reader sees. */
import type { DecodedAnswer, DecodedToken, DecodingEvent } from "../decoding/decoder.ts";
import { parseBoxes } from "@tinygptv/protocol";
import type {
  AnswerToken,
  BoxPicture,
  GenerateEvent,
  Hypothesis,
  ResolvedDecoding,
  TokenAlternative,
} from "@tinygptv/protocol";
import { createDetokenizer } from "../text/detokenizer.ts";
import { createStopScanner } from "../text/stopText.ts";
import type { Tokenizer } from "@tinygptv/model";

/** Turns decoding events into what a reader sees: tokens, text that never cuts a character, beams. */
export function createAnswerWriter(
  tokenizer: Tokenizer,
  decoding: ResolvedDecoding,
  emit: (event: GenerateEvent) => void,
) {
  const detokenizer = createDetokenizer(tokenizer);
  const scanner = createStopScanner(decoding.stop);
  const show = (text: string) => {
    if (text) emit({ type: "delta", text });
  };
  return {
    write(event: DecodingEvent) {
      if (event.type === "token") {
        emit({ type: "token", token: toAnswerToken(tokenizer, event.token) });
        show(scanner.push(detokenizer.push(event.token.id)).text);
      } else {
        emit({
          type: "beams",
          hypotheses: event.answers.map((answer) => ({
            text: answerText(tokenizer, decoding, answer),
            score: answer.score!,
          })),
        });
      }
    },
    end() {
      show(scanner.push(detokenizer.flush()).text + scanner.flush());
    },
  };
}

/** The answer as text, cut before the first stop text. */
function answerText(
  tokenizer: Tokenizer,
  { stop }: ResolvedDecoding,
  { tokens }: DecodedAnswer,
): string {
  const scanner = createStopScanner(stop);
  const { text } = scanner.push(tokenizer.decode(tokens.map(({ id }) => id)));
  return text + scanner.flush();
}

export function toHypothesis(
  tokenizer: Tokenizer,
  decoding: ResolvedDecoding,
  answer: DecodedAnswer,
  picture: BoxPicture | undefined,
): Hypothesis {
  const { tokens, finishReason, score: beamScore } = answer;
  const text = answerText(tokenizer, decoding, answer);
  return {
    text,
    boxes: picture ? parseBoxes(text, picture) : [],
    tokens: tokens.map((token) => toAnswerToken(tokenizer, token)),
    finishReason,
    ...(beamScore === undefined ? {} : { score: beamScore }),
  };
}

export function toAnswerToken(
  tokenizer: Tokenizer,
  { id, logprob, top }: DecodedToken,
): AnswerToken {
  return {
    ...tokenOf(tokenizer, id),
    ...(logprob === undefined ? {} : { logprob }),
    ...(top
      ? { top: top.map((one): TokenAlternative => ({ ...one, ...tokenOf(tokenizer, one.id) })) }
      : {}),
  };
}

/** A token's text, and the bytes it adds to an answer where those are others: part of a character, or none. */
function tokenOf(tokenizer: Tokenizer, id: number): Pick<AnswerToken, "id" | "text" | "bytes"> {
  const text = tokenizer.tokenText(id);
  if (tokenizer.specialIds.has(id)) return { id, text, bytes: [] };
  return text.includes("\u{fffd}")
    ? { id, text, bytes: [...tokenizer.tokenBytes(id)] }
    : { id, text };
}
