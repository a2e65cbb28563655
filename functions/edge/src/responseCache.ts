/** One kept answer. */
export interface KeptAnswer {
  body: string;
  /** Milliseconds. */
  storedAt: number;
  expiresAt: number;
}

export interface ResponseCache {
  get(key: string): KeptAnswer | undefined;
  set(key: string, answer: KeptAnswer): void;
}

/** UTF-16, and about what a map entry with its key takes. */
const sizeOf = ({ body }: KeptAnswer) => 2 * body.length + 512;

/**
 * Answers in the memory of this isolate, at most `maxBytes` of them; the least
 * recently used go first. An answer larger than an eighth of that is not kept.
 */
export function createResponseCache(maxBytes: number, now: () => number = Date.now): ResponseCache {
  // A map is in order of insertion; using an answer puts it last again.
  const answers = new Map<string, KeptAnswer>();
  let bytes = 0;

  function remove(key: string): void {
    const answer = answers.get(key);
    if (!answer) return;
    bytes -= sizeOf(answer);
    answers.delete(key);
  }

  return {
    get(key) {
      const answer = answers.get(key);
      if (!answer) return undefined;
      if (answer.expiresAt <= now()) {
        remove(key);
        return undefined;
      }
      answers.delete(key);
      answers.set(key, answer);
      return answer;
    },
    set(key, answer) {
      remove(key);
      if (sizeOf(answer) > maxBytes / 8) return;
      answers.set(key, answer);
      bytes += sizeOf(answer);
      for (const oldest of answers.keys()) {
        if (bytes <= maxBytes) break;
        remove(oldest);
      }
    },
  };
}
