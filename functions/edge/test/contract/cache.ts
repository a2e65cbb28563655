/** Which answers are given again. */
import { describe, expect, it } from "vitest";
import { sendJson } from "../origin.ts";
import type { RunningEdge } from "../runtimes.ts";
import { anna, ben, chat, greedy, post, type Bench } from "./bench.ts";

export function cacheContract({ origin, edge }: Bench): void {
  describe("the cache", () => {
    async function answers(
      at: RunningEdge,
      ...requests: [object, Record<string, string>?, string?][]
    ) {
      const found: [string | null, unknown][] = [];
      for (const [body, headers, path] of requests) {
        const response = await post(at, body, { headers, path });
        found.push([
          response.headers.get("x-cache"),
          ((await response.json()) as { answer: unknown }).answer,
        ]);
      }
      return found;
    }

    it("gives an answer again to whoever asks the same", async () => {
      const at = await edge([await origin()]);
      const { messages, model } = greedy;
      expect(
        await answers(
          at,
          [greedy],
          [greedy],
          [{ messages, model, user: "u", stream: false, seed: null }],
          [greedy, { authorization: `Bearer ${ben.key}` }],
          [{ ...greedy, max_tokens: 5 }],
          [{ ...greedy, num_beams: 3 }],
          [{ ...greedy, num_beams: 3 }],
          [{ ...greedy, temperature: 1, seed: 7 }],
          [{ ...greedy, temperature: 1, seed: 7 }],
          [{ ...greedy, temperature: 1, seed: 8 }],
        ),
      ).toEqual([
        ["miss", 1],
        ["hit", 1],
        ["hit", 1],
        ["hit", 1],
        ["miss", 2],
        ["miss", 3],
        ["hit", 3],
        ["miss", 4],
        ["hit", 4],
        ["miss", 5],
      ]);
    });

    it("passes by what may have another answer", async () => {
      const at = await edge([await origin()]);
      const picture = (url: string) => ({
        messages: [{ role: "user", content: [{ type: "image_url", image_url: { url } }] }],
      });
      const sampled = { ...greedy, temperature: 0.7 };
      const remote = picture("https://example.com/cat.png");
      const data = picture("data:image/png;base64,AAAA");
      const invalid = { ...greedy, unknown_parameter: 1 };
      expect(
        await answers(
          at,
          [sampled],
          [sampled],
          [remote],
          [remote],
          [invalid],
          [invalid],
          [greedy, {}, "/v1/tokenize"],
          [data],
          [data],
        ),
      ).toEqual([
        [null, 1],
        [null, 2],
        [null, 3],
        [null, 4],
        [null, 5],
        [null, 6],
        [null, 7],
        ["miss", 8],
        ["hit", 8],
      ]);
    });

    it("does as `cache-control` of the request says", async () => {
      const at = await edge([await origin()]);
      expect(
        await answers(
          at,
          [greedy, { "cache-control": "no-store" }],
          [greedy],
          [greedy, { "cache-control": "no-cache" }],
          [greedy],
          [greedy, { "cache-control": "max-age=0" }],
          [greedy, { "cache-control": "max-age=100" }],
        ),
      ).toEqual([
        [null, 1],
        ["miss", 2],
        ["miss", 3],
        ["hit", 3],
        ["miss", 4],
        ["hit", 4],
      ]);
    });

    it("keeps only good answers, and those that the origin lets it keep", async () => {
      const behind = await origin();
      const at = await edge([behind]);
      const kept: Record<string, boolean> = {};
      for (const [control, status] of [
        ["no-store", 200],
        ["private", 200],
        ["no-cache", 200],
        ["max-age=0", 200],
        ["max-age=60", 200],
        ["max-age=60", 500],
        ["max-age=60", 400],
      ] as const) {
        behind.behave = (response) => sendJson(response, {}, status, { "cache-control": control });
        const request = { ...greedy, model: `nano:${control}-${status}` };
        await post(at, request);
        kept[`${control} ${status}`] = (await post(at, request)).headers.get("x-cache") === "hit";
      }
      expect(Object.keys(kept).filter((name) => kept[name])).toEqual(["max-age=60 200"]);
      expect(behind.seen.length).toBe(13);
    });

    it("answers no other method", async () => {
      const behind = await origin();
      const at = await edge([behind]);
      await post(at, greedy);
      const response = await fetch(at.url + chat, {
        method: "PUT",
        headers: { authorization: `Bearer ${anna.key}`, "content-type": "application/json" },
        body: JSON.stringify(greedy),
      });
      expect([response.headers.get("x-cache"), behind.seen.length]).toEqual([null, 2]);
    });

    it("can be switched off", async () => {
      const at = await edge([await origin()], { EDGE_CACHE_SECONDS: "0" });
      expect(await answers(at, [greedy], [greedy])).toEqual([
        [null, 1],
        [null, 2],
      ]);
    });
  });
}
