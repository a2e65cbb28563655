import { z } from "zod";
import { clean, inOneLine } from "../cleaner.ts";
import type { Round } from "../sample.ts";
import { aboutPicture } from "../wording.ts";
import { annotated } from "./annotations.ts";

const turn = z.object({ from: z.string(), value: z.string() });
/** A question and its answer at least. Who speaks is told by their order. */
const record = z.object({
  id: z.union([z.string(), z.int()]),
  conversations: z.tuple([turn, turn], turn),
});

interface Conversation {
  readonly picture: string;
  readonly turns: readonly string[];
}

const ofCoco = (rounds: (turns: readonly string[]) => Round[]) =>
  annotated({
    schema: record,
    async items({ id, conversations }, { pictures, place }): Promise<Conversation[]> {
      const picture = await pictures.need(`COCO_train2014_${id}.jpg`, place);
      return [{ picture, turns: conversations.map(({ value }) => value) }];
    },
    sample: ({ picture, turns }) => ({ picture, rounds: rounds(turns) }),
  });

/** `conversation_58k.json`, and `multitask_conversation.json`: all rounds, nothing cleaned. */
export const openConversations = ofCoco((turns) => {
  const rounds: Round[] = [];
  // A last question that nobody answers teaches nothing.
  for (let i = 0; i + 1 < turns.length; i += 2) {
    const question = turns[i]!;
    const instruction = i === 0 ? aboutPicture(inOneLine(question)) : `${question} `;
    rounds.push({ instruction, answer: turns[i + 1]! });
  }
  return rounds;
});

/** `detail_23k.json` and `complex_reasoning_77k.json`: the first round, its question cleaned. */
export const openFirstRounds = ofCoco(([question, answer]) => [
  { instruction: aboutPicture(clean(inOneLine(question!))), answer: answer! },
]);
