import type { GenerateRequest, Round } from "@tinygptv/protocol";
import { maxCompareRuns } from "@tinygptv/protocol/http";
import type { CompareRequest, DecodingParameters } from "@tinygptv/protocol/http";
import { toDecodingParams } from "../chat/decoding.ts";
import { toQuestion } from "../chat/question.ts";
import { HttpError } from "../errors.ts";
import type { PictureReference } from "../images/loadPictures.ts";

export interface ComparePlan {
  /** One per parameter set. */
  requests: GenerateRequest[];
  rounds: readonly Round[];
  pictures: PictureReference[];
}

/**
 * The requests of a comparison. Beam searches return all their hypotheses.
 * @throws HttpError invalid_prompt, invalid_value
 */
export function planCompare(body: CompareRequest): ComparePlan {
  const { question, pictures } = toQuestion(body);
  const sets = body.parameter_sets ?? [{}];
  const runs = sets.length * body.models.length;
  if (runs > maxCompareRuns)
    throw new HttpError(
      "invalid_value",
      `models: want at most ${maxCompareRuns} answers in all, got ${runs}`,
      {
        param: "models",
      },
    );
  const request = (set: DecodingParameters, index: number): GenerateRequest => ({
    ...question,
    answerPrefix: body.answer_prefix,
    decoding: {
      ...toDecodingParams(set, `parameter_sets[${index}].`),
      ...((set.num_beams ?? 1) > 1 ? { numReturnSequences: set.num_beams } : {}),
    },
  });
  return { requests: sets.map(request), rounds: question.rounds, pictures };
}
