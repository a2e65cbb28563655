import type { Round } from "@tinygptv/protocol";

/** What a model is asked next: all rounds and all their pictures, in their order. */
export interface Asked {
  rounds: Round[];
  pictures: Uint8Array[];
}

/** A conversation: finished rounds, and pictures that wait for the next question. */
export interface Conversation {
  addPicture(picture: Uint8Array): void;
  /** The rounds so far and one more, which is part of the conversation once it is answered. */
  ask(prompt: string): Asked;
  /** Takes a question with its answer, or as much of it as came. */
  settle(asked: Asked, answer: string): void;
  /** Back to the beginning, with the pictures that were there then. */
  reset(): void;
}

export function createConversation(first: readonly Uint8Array[]): Conversation {
  let rounds: Round[] = [];
  let pictures: Uint8Array[] = [];
  let waiting = [...first];
  return {
    addPicture: (picture) => void waiting.push(picture),
    ask: (prompt) => ({
      rounds: [...rounds, { prompt, images: waiting.length }],
      pictures: [...pictures, ...waiting],
    }),
    settle(asked, answer) {
      rounds = [...asked.rounds.slice(0, -1), { ...asked.rounds.at(-1)!, answer }];
      pictures = asked.pictures;
      waiting = [];
    },
    reset() {
      rounds = [];
      pictures = [];
      waiting = [...first];
    },
  };
}
