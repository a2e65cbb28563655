import { expect, it } from "vitest";
import { partedSegments, segmentsOf } from "./segments.ts";

it("links phrases to their boxes", () => {
  expect(
    segmentsOf(
      "<p>a dog</p> {<1><2><3><4>} and <p>two apples</p> {<5><6><7><8>}<delim>{<9><9><10><10>} on green",
    ),
  ).toEqual([
    { kind: "linked", text: "a dog", boxes: [0] },
    { kind: "text", text: " and " },
    { kind: "linked", text: "two apples", boxes: [1, 2] },
    { kind: "text", text: " on green" },
  ]);
});

it("writes corners where there is no phrase, and leaves what is no box alone", () => {
  expect(segmentsOf("{<11><11><91><86>}")).toEqual([
    { kind: "linked", text: "11, 11 – 91, 86", boxes: [0] },
  ]);
  expect(segmentsOf("a <p>b {<1><2>} {{x}}")).toEqual([
    { kind: "text", text: "a <p>b {<1><2>} {{x}}" },
  ]);
});

it("cuts where an answer parts from another, but never between a phrase and its boxes", () => {
  const text = "on <p>a dog</p> {<1><2><3><4>} a cat {<5><6><7><8>}";
  const dog = { kind: "linked", text: "a dog", boxes: [0] };
  const rest = { kind: "linked", text: "5, 6 – 7, 8", boxes: [1] };
  const start = { kind: "text", text: "on " };
  expect(partedSegments(text, text.indexOf("cat"))).toEqual([
    [start, dog, { kind: "text", text: " a " }],
    [{ kind: "text", text: "cat " }, rest],
  ]);
  expect(partedSegments(text, text.indexOf("3"))).toEqual([
    [start],
    [dog, { kind: "text", text: " a cat " }, rest],
  ]);
});
