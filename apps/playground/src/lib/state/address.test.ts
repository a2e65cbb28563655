import { expect, it } from "vitest";
import { addressOf } from "./address.ts";

it.each([
  ["", { shows: "own" }],
  ["compare", { shows: "comparison" }],
  ["s/nb_1", { shows: "shared", id: "nb_1" }],
  ["s", undefined],
  ["s/", undefined],
  ["s/nb_1/more", undefined],
  ["compare/more", undefined],
  ["elsewhere", undefined],
])("at /%s the page shows %o", (path, shown) => {
  expect(addressOf(path)).toEqual(shown);
});
