import { expect, it } from "vitest";
import { commonPrefixTree } from "./beamTree.ts";

it("writes shared words once and knows where each hypothesis ends", () => {
  expect(commonPrefixTree(["a dog on green", "a dog on blue", "a cat", "a dog"])).toEqual([
    {
      text: "a ",
      leaves: [],
      children: [
        {
          text: "dog on ",
          leaves: [],
          children: [
            { text: "green", leaves: [0], children: [] },
            { text: "blue", leaves: [1], children: [] },
          ],
        },
        { text: "cat", leaves: [2], children: [] },
        { text: "dog", leaves: [3], children: [] },
      ],
    },
  ]);
});
