/** Bodies and answers that are too large to be held. */
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { anna, errorOf, get, greedy, post, type Bench } from "./bench.ts";

const MiB = 2 ** 20;

/** A question of about so many bytes, as some clients write it: the model comes last. */
const large = (bytes: number, model = "nano") => ({
  messages: [{ role: "user", content: "model".padEnd(bytes, '"}') }],
  model,
});

export function bodiesContract({ origin, edge }: Bench): void {
  describe("large bodies", () => {
    it("arrive whole, and are sent to another origin while there is room for them", async () => {
      const [dying, good] = [await origin((response) => void response.destroy()), await origin()];
      const at = await edge([dying, good]);
      for (let count = 0; count < 2; count++) {
        const response = await post(at, large(5 * MiB));
        expect(response.headers.get("x-cache")).toBeNull();
        expect(await response.json()).toMatchObject({ from: good.url });
      }
      expect(dying.seen.length).toBeGreaterThan(0);
      for (const { body } of good.seen) expect(JSON.parse(body)).toEqual(large(5 * MiB));
    });

    it("pass on as they come where there is none, and are sent once", async () => {
      const behind = await origin();
      const held = { EDGE_HELD_BYTES: String(MiB) };
      const at = await edge([behind], held);
      const answers = await Promise.all(Array.from({ length: 4 }, () => post(at, large(5 * MiB))));
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
      for (const { body } of behind.seen) expect(JSON.parse(body)).toEqual(large(5 * MiB));

      behind.behave = (response) => void response.destroy();
      const twice = await edge([behind, await origin((response) => void response.destroy())], held);
      const before = behind.seen.length;
      const response = await post(twice, large(5 * MiB));
      expect(response.headers.get("retry-after")).toBe("1");
      expect(await errorOf(response)).toEqual([503, "origin_unavailable"]);
      expect(behind.seen.length - before).toBeLessThanOrEqual(1);
      // Room that was taken is given back.
      behind.behave = (answer) => void answer.writeHead(200).end();
      expect((await post(twice, greedy)).status).toBe(200);
    });

    it("go by their model, wherever it stands in them", async () => {
      const [one, other] = [await origin(), await origin()];
      const routed = [
        [one, { models: ["one"] }],
        [other, { models: ["other"] }],
      ] as [typeof one, { models: string[] }][];
      const at = await edge(routed);
      for (const [behind, model] of [
        [one, "one"],
        [other, "other"],
      ] as const)
        expect(await (await post(at, large(3 * MiB, model))).json()).toMatchObject({
          from: behind.url,
        });
      const small = await edge(routed, { EDGE_HELD_BYTES: String(2 * MiB) });
      const refused = await post(small, large(3 * MiB, "one"));
      expect(refused.headers.get("retry-after")).toBe("1");
      expect(await errorOf(refused)).toEqual([503, "queue_full"]);
      const { model, messages } = large(3 * MiB, "one");
      expect((await post(small, { model, messages })).status).toBe(200);
    });

    it("end with 413 when they turn out to be too large on their way", async () => {
      const behind = await origin();
      const at = await edge([behind], { EDGE_BODY_BYTES: String(3 * MiB) });
      let parts = 0;
      const unsaid = new ReadableStream({
        async pull(controller) {
          // One part too much, and then nothing: who goes on writing may find the connection gone before he reads the answer.
          if (parts++ > 12) return new Promise(() => {});
          await sleep(1);
          controller.enqueue(new Uint8Array(MiB / 4));
        },
      });
      const response = await fetch(`${at.url}/v1/images`, {
        method: "POST",
        headers: { authorization: `Bearer ${anna.key}` },
        body: unsaid,
        duplex: "half",
      });
      expect(await errorOf(response)).toEqual([413, "request_too_large"]);
      // What the origin has of it must not look complete to it.
      await vi.waitFor(() => expect(behind.seen.map(({ complete }) => complete)).toEqual([false]));
    });

    it("do not look complete to the origin when the client goes away on its way", async () => {
      const behind = await origin();
      const at = await edge([behind]);
      const abort = new AbortController();
      let sent = 0;
      const endless = new ReadableStream({
        async pull(controller) {
          await sleep(1);
          controller.enqueue(new Uint8Array(MiB / 4));
          sent += 1;
          if (sent === 12) abort.abort();
        },
      });
      const response = fetch(`${at.url}/v1/images`, {
        method: "POST",
        headers: { authorization: `Bearer ${anna.key}` },
        body: endless,
        duplex: "half",
        signal: abort.signal,
      });
      await expect(response).rejects.toMatchObject({ name: "AbortError" });
      await vi.waitFor(() => expect(behind.seen.map(({ complete }) => complete)).toEqual([false]));
    });
  });

  describe("large answers", () => {
    it("pass on as they come, whole", async () => {
      const bytes = Buffer.alloc(4 * MiB, "abcdefg");
      const behind = await origin((response) => {
        response.writeHead(200, { "content-type": "image/png", "content-length": bytes.length });
        response.end(bytes);
      });
      const response = await get(await edge([behind]), "/v1/images/img_1");
      expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).toBe(true);
    });

    it("break off where the origin does, and do not look complete", async () => {
      const behind = await origin((response) => {
        response.writeHead(200, { "content-type": "image/png", "content-length": 4 * MiB });
        response.write(Buffer.alloc(2 * MiB), () => setTimeout(() => response.destroy(), 50));
      });
      const response = await get(await edge([behind]), "/v1/images/img_1");
      await expect(response.arrayBuffer()).rejects.toBeInstanceOf(TypeError);
    });
  });
}
