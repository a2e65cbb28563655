/** Who answers: a model in this process, an engine, an endpoint. */
import { answerOf } from "@tinygptv/protocol";
import type { CallOptions, Engine, GenerateRequest, ScoreRequest } from "@tinygptv/protocol";

/** An answer to a question. */
export interface GivenAnswer {
  readonly text: string;
  readonly finishReason: "stop" | "length" | undefined;
}

/** Whatever answers questions about pictures, and says how likely given answers are. */
export interface Answerer {
  /** The answer to the last round of a request. */
  answer(
    request: GenerateRequest,
    pictures: readonly Uint8Array[],
    signal: AbortSignal,
  ): Promise<GivenAnswer>;
  /** Mean log-probability of every candidate. */
  score(
    request: ScoreRequest,
    pictures: readonly Uint8Array[],
    signal: AbortSignal,
  ): Promise<number[]>;
}

/** An engine, or one model of one, as an answerer. @param model the level asked, of an engine with several */
export function fromEngine(engine: Pick<Engine, "generate" | "score">, model?: string): Answerer {
  const options = (signal: AbortSignal): CallOptions => ({
    signal,
    ...(model !== undefined && { model }),
  });
  return {
    async answer(request, pictures, signal) {
      const { text, finishReason } = await answerOf(
        engine.generate(request, pictures, options(signal)),
      );
      return { text, finishReason };
    },
    async score(request, pictures, signal) {
      const { candidates } = await engine.score(request, pictures, options(signal));
      return candidates.map(({ meanLogprob }) => meanLogprob);
    },
  };
}
