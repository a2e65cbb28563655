import { expect, it } from "vitest";
import { marksOf, type Mark } from "./marks.ts";

const bounds = { left: 0, right: 600, top: 0, bottom: 300 };
const at = (x: number, y: number, label: string) => ({ x, y, label, colour: label });
const labelBox = ({ label }: Mark) => {
  const width = (label?.text.length ?? 0) * 6.6;
  const from = { middle: width / 2, start: 0, end: width }[label?.anchor ?? "middle"];
  const left = (label?.x ?? 0) - from;
  return { left, right: left + width, top: (label?.y ?? 0) - 11, bottom: (label?.y ?? 0) + 3 };
};

it("shows equal points as rings around each other, under all their names", () => {
  const marks = marksOf([at(100, 100, "fp32"), at(101, 100, "int8"), at(300, 100, "int4")], bounds);
  expect(marks.map(({ title }) => title)).toEqual(["fp32, int8", "int4"]);
  expect(marks[0]?.rings.map(({ colour }) => colour)).toEqual(["int8", "fp32"]);
  expect(new Set(marks[0]?.rings.map(({ radius }) => radius)).size).toBe(2);
});

it("lets no name lie on another or leave the plot, and cuts long ones", () => {
  const points = Array.from({ length: 8 }, (_, i) =>
    at(100 + 20 * i, 100 + (i % 2), `temperature ${i}`),
  );
  const marks = marksOf([...points, at(598, 150, "a name much longer than there is room")], bounds);
  const boxes = marks.filter(({ label }) => label !== undefined).map(labelBox);
  expect(boxes.length).toBeGreaterThan(3);
  boxes.forEach((box, i) => {
    expect(box.left).toBeGreaterThanOrEqual(0);
    expect(box.right).toBeLessThanOrEqual(600);
    for (const other of boxes.slice(i + 1)) {
      const apart =
        box.right <= other.left ||
        other.right <= box.left ||
        box.bottom <= other.top ||
        other.bottom <= box.top;
      expect(apart).toBe(true);
    }
  });
  const last = marks.at(-1);
  expect(last?.label).toMatchObject({ anchor: "end", text: "a name much longer than…" });
  expect(last?.title).toBe("a name much longer than there is room");
});
