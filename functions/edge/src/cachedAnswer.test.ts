import { beforeEach, describe, expect, it } from "vitest";
import { answerWithCache, createAnswerCache, type AnswerCache } from "./cachedAnswer.ts";

describe("answerWithCache", () => {
  let now = 0;
  let cache: AnswerCache;
  beforeEach(() => {
    now = 1_000_000;
    cache = createAnswerCache(8000, 60, () => now);
  });

  /** What the cache says of a question whose answer takes `bytes` with its entry. */
  async function ask(question: string, bytes = 1000): Promise<string | null> {
    const json = { messages: [{ role: "user", content: question }] };
    const request = { path: "/v1/chat/completions", json, cacheControl: undefined };
    const whole = new Uint8Array(bytes - 512);
    const response = await answerWithCache(request, cache, () =>
      Promise.resolve({ response: new Response(whole), whole }),
    );
    return response.headers.get("x-cache");
  }

  async function kept(questions: string): Promise<string> {
    let found = "";
    for (const question of questions) if ((await ask(question)) === "hit") found += question;
    return found;
  }

  it("keeps an answer until it expires", async () => {
    expect([await ask("a"), await ask("a")]).toEqual(["miss", "hit"]);
    now += 59_999;
    expect(await ask("a")).toBe("hit");
    now += 2;
    expect(await ask("a")).toBe("miss");
  });

  it("drops the least recently used when it is full", async () => {
    for (const question of "abcdefgh") await ask(question);
    expect(await kept("ac")).toBe("ac");
    await ask("i");
    await ask("j");
    expect(await kept("acefghij")).toBe("acefghij");
  });

  it("does not give all its room to one answer", async () => {
    expect([await ask("a", 1001), await ask("a", 1001)]).toEqual(["miss", "miss"]);
  });
});
