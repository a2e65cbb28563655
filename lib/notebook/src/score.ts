import type { CrossScore, Output, Run, RunError } from "./output.ts";
import { callOptions, inspection, pictureBytes, runError, type RunContext } from "./context.ts";

/**
 * Every run's final answer under every level of the comparison, teacher-forced:
 * the level reads the text and says how probable each of its tokens is. Answers
 * are scored as text, so a token sequence the tokenizer would write differently
 * is scored in the tokenizer's way.
 */
export async function crossScores(
  output: Output,
  context: RunContext,
): Promise<{ scores: CrossScore[]; error?: RunError }> {
  const scores: CrossScore[] = [];
  const answered = output.runs.flatMap((run, index) =>
    run.state === "done" && finalAnswer(run)?.text ? [{ run, index }] : [],
  );
  const asked = answered[0] && finalAnswer(answered[0].run)?.request;
  if (asked === undefined) return { scores };
  // One call a level scores all answers; earlier rounds are those of the first run.
  try {
    const pictures = await Promise.all(
      (answered[0]?.run.pictures ?? []).map((name) => pictureBytes(name, context)),
    );
    for (const { run, index: under } of answered) {
      const { answerPrefix: _prefix, decoding: _decoding, ...question } = asked;
      const candidates = answered.map((candidate) => finalAnswer(candidate.run)?.text ?? "");
      const result = await context.engine.score(
        { ...question, candidates, topLogprobs: inspection.topLogprobs },
        pictures,
        callOptions(run.model, context.signal),
      );
      result.candidates.forEach(({ meanLogprob, tokens }, i) => {
        const answer = answered[i];
        if (answer !== undefined) scores.push({ answer: answer.index, under, meanLogprob, tokens });
      });
    }
    return { scores };
  } catch (error) {
    return { scores, error: runError(error) };
  }
}

const finalAnswer = (run: Run): Run["answers"][number] | undefined => run.answers.at(-1);
