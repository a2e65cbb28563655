/** An answerer that says what it is told to, for tests. */
import type { Answerer } from "../answerer.ts";

/**
 * @param answers by a part of the prompt; of a choice the log-probabilities
 * @param onAsk hears of each question; may throw
 */
export function scripted(
  answers: Readonly<Record<string, string | readonly number[]>>,
  onAsk: (prompt: string) => void | Promise<void> = () => {},
): Answerer {
  const find = async (prompt: string) => {
    await onAsk(prompt);
    const found = Object.keys(answers).find((part) => prompt.includes(part));
    if (found === undefined) throw new Error(`no answer to ${prompt}`);
    return answers[found]!;
  };
  return {
    answer: async ({ rounds }) => ({
      text: (await find(rounds[0]!.prompt)) as string,
      finishReason: "stop",
    }),
    score: async ({ rounds }) => [...((await find(rounds[0]!.prompt)) as readonly number[])],
  };
}
