import { expect, test } from "vitest";
import {
  detokenizeResponseSchema,
  preprocessResponseSchema,
  scoreHttpResponseSchema,
  tokenizeResponseSchema,
} from "@tinygptv/protocol/http";
import { dataUrl, redPixel } from "../testing/pictures.ts";
import { testApp } from "../testing/testApp.ts";

const picture = dataUrl(redPixel);

test("scores candidates, most probable first", async () => {
  const content = [
    { type: "image_url", image_url: { url: picture } },
    { type: "text", text: "what?" },
  ];
  const response = await testApp().post("/v1/score", {
    messages: [{ role: "user", content }],
    candidates: ["elephant", "cat"],
    end_symbol: "\n",
  });
  expect(response.status).toBe(200);
  const body = scoreHttpResponseSchema.parse(await response.json());
  expect(body.ranks).toEqual([1, 0]);
  expect(body.candidates[1]).toMatchObject({ text: "cat", mean_logprob: -3, sum_logprob: -12 });
  expect(body.candidates[1]!.tokens.map(({ token }) => token).join("")).toBe("cat\n");
  expect(body.usage.images).toHaveLength(1);
});

test("tokens to text and back", async () => {
  const { post } = testApp();
  const tokens = tokenizeResponseSchema.parse(
    await (await post("/v1/tokenize", { text: "héllo" })).json(),
  );
  const ids = tokens.tokens.map(({ id }) => id);
  const text = detokenizeResponseSchema.parse(await (await post("/v1/detokenize", { ids })).json());
  expect(text).toEqual({ object: "text", model: "fake:fp32", text: "héllo" });
});

test("shows what the model sees of a picture", async () => {
  const response = await testApp().post("/v1/preprocess", { image: picture, model: "fake:int4" });
  const body = preprocessResponseSchema.parse(await response.json());
  expect(body).toMatchObject({
    model: "fake:int4",
    width: 1,
    height: 1,
    size: 448,
    preview: picture,
  });
});
