import { expect, it } from "vitest";
import { parseCacheControl } from "./cacheControl.ts";

const nothing = { noStore: false, noCache: false, private: false, maxAge: undefined };

it.each([
  [undefined, nothing],
  [null, nothing],
  ["", nothing],
  ["public", nothing],
  ["no-store", { ...nothing, noStore: true }],
  ["No-Cache, PRIVATE", { ...nothing, noCache: true, private: true }],
  ["max-age=60", { ...nothing, maxAge: 60 }],
  ['max-age="60"', { ...nothing, maxAge: 60 }],
  ["max-age=60, s-maxage=5", { ...nothing, maxAge: 5 }],
  ["max-age=0", { ...nothing, maxAge: 0 }],
  ["max-age=soon", { ...nothing, maxAge: 0 }],
  ["max-age=-1", { ...nothing, maxAge: 0 }],
])("reads %j", (header, expected) => {
  expect(parseCacheControl(header)).toEqual(expected);
});
