import { expect, it } from "vitest";
import { apiError } from "./http.ts";

const told = (code: string, param: string | null, message: string) =>
  apiError({ error: { message, type: "invalid_request_error", param, code } }, 400);

it.each([
  [
    "min_tokens",
    "min_tokens: want at most max_tokens (8), got 9",
    "minNewTokens",
    "Shortest answer: want at most Longest answer (8), got 9",
  ],
  [
    "n",
    "n: want at most num_beams (2), got 3",
    "numReturnSequences",
    "Answers shown: want at most Beams (2), got 3",
  ],
  [
    "top_p",
    'top_p: want a number from 0 to 1, got "top_p"',
    "topP",
    'Top p: want a number from 0 to 1, got "top_p"',
  ],
  [
    "messages[2].content",
    "messages[2].content: want text without <ImageHere>, got one",
    "messages[2].content",
    "Question: want text without <ImageHere>, got one",
  ],
  [
    "messages[0].content[1].image_url.url",
    "messages[0].content[1].image_url.url: want at most 40 megapixels, got 48",
    "messages[0].content[1].image_url.url",
    "Picture.image_url.url: want at most 40 megapixels, got 48",
  ],
])("says %s in the words of the panel", (param, message, subject, expected) => {
  expect(told("invalid_value", param, message)).toMatchObject({
    code: "parameter",
    subject,
    message: expected.replace(".image_url.url", ""),
  });
});

it("leaves what has no name as it is", () => {
  expect(told("invalid_prompt", null, "want max_tokens").message).toBe("want max_tokens");
});

it("knows a conversation that is too long", () => {
  expect(told("context_length_exceeded", "messages", "messages: want at most 9").code).toBe(
    "context",
  );
});
