import { describe, expect, it } from "vitest";
import { eventData } from "./eventData.ts";

/** A response whose body comes in these pieces. */
const inPieces = (...pieces: readonly (string | Error)[]): Response => {
  const left = [...pieces];
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      const piece = left.shift();
      if (piece === undefined) controller.close();
      else if (typeof piece === "string") controller.enqueue(new TextEncoder().encode(piece));
      else controller.error(piece);
    },
  });
  return new Response(body);
};
const read = async (response: Response, signal?: AbortSignal): Promise<string[]> => {
  const found: string[] = [];
  for await (const data of eventData(response, signal)) found.push(data);
  return found;
};

describe("eventData", () => {
  it.each([
    ["lines cut anywhere", ["da", "ta: a\n", "\ndata: b", "\n\ndata: [DONE]\n\n"], ["a", "b"]],
    ["CRLF and a byte order mark", ["\uFEFFdata: a\r\n\r", "\ndata: [DONE]\r\n\r\n"], ["a"]],
    ["comments, names and ids", [": hi\nevent: x\nid: 1\ndata: a\n\ndata: [DONE]\n\n"], ["a"]],
    ["data of several lines", ["data: a\ndata: b\n\ndata: [DONE]\n\n"], ["a\nb"]],
    ["nothing after [DONE]", ["data: [DONE]\n\ndata: a\n\n"], []],
  ])("takes %s", async (_, pieces, wanted) => {
    expect(await read(inPieces(...pieces))).toEqual(wanted);
  });

  it.each<[string, Response, string]>([
    ["a stream that ends early", inPieces("data: a\n\n"), "The connection was lost"],
    ["one that breaks", inPieces("data: a\n\n", new Error("reset")), "The connection was lost"],
    ["an empty body", new Response(null), "The endpoint sent an empty answer"],
    ["an endless event", inPieces("data: ", "a".repeat(5_000_000)), "more than 4 million"],
  ])("says what is wrong with %s", async (_, response, message) => {
    await expect(read(response)).rejects.toMatchObject({
      code: "network",
      message: expect.stringContaining(message) as string,
    });
  });

  it("tells a stop from a loss", async () => {
    await expect(read(inPieces(new Error("reset")), AbortSignal.abort())).rejects.toMatchObject({
      code: "aborted",
    });
  });
});
