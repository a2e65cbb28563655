import { expect, it } from "vitest";
import { figure } from "./figures.ts";

it("writes three significant digits, small numbers too", () => {
  expect([61.234, 0.501, -0.5, 0, 0.0000671].map((value) => figure(value, "x"))).toEqual([
    "61.2 x",
    "0.501 x",
    "-0.500 x",
    "0 x",
    "6.7e-5 x",
  ]);
  expect([60, 100, 1.5].map((value) => figure(value, undefined))).toEqual(["60", "100", "1.50"]);
});
