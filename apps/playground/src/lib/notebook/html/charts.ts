/** Bars and points without a script. */
import type { TableRow } from "@tinygptv/notebook";
import { seriesColour } from "#lib/components/answer/segments.ts";
import { columnOf, figure } from "#lib/components/charts/figures.ts";
import { marksOf } from "#lib/components/charts/marks.ts";
import { markup, type Markup } from "./markup.ts";

/** @returns undefined where no row has the number */
export function bars(
  rows: readonly TableRow[],
  measure: string,
  label = "label",
): Markup | undefined {
  const { label: title, unit, measured } = columnOf(measure);
  const values = rows.map((row) => row[measure]);
  const numbers = values.filter((value) => typeof value === "number");
  if (numbers.length === 0) return undefined;
  const largest = Math.max(...numbers.map(Math.abs)) || 1;
  return markup`<figure><figcaption>${title} <small>${measured}</small></figcaption><div class="bars">${rows.map(
    (row, index) => {
      const value = values[index];
      const share = typeof value === "number" ? (100 * Math.abs(value)) / largest : 0;
      return markup`<span>${row[label]}</span><i style="width:${share.toFixed(2)}%;background:${seriesColour(index)}"></i><b>${typeof value === "number" ? figure(value, unit) : "–"}</b>`;
    },
  )}</div></figure>`;
}

const size = { width: 640, height: 280, left: 64, right: 24, top: 16, bottom: 32 };

/**
 * @param joined points are connected, in the order of x
 * @returns undefined where fewer than two rows have both numbers
 */
export function points(
  rows: readonly TableRow[],
  x: string,
  y: string,
  joined: boolean,
): Markup | undefined {
  const found = rows
    .flatMap((row, index) => {
      const [px, py] = [row[x], row[y]];
      return typeof px === "number" && typeof py === "number"
        ? [{ x: px, y: py, label: String(row["label"] ?? ""), colour: seriesColour(index) }]
        : [];
    })
    .toSorted((a, b) => a.x - b.x);
  if (found.length < 2) return undefined;
  const across = axis(
    found.map((point) => point.x),
    size.left,
    size.width - size.right,
  );
  const up = axis(
    found.map((point) => point.y),
    size.height - size.bottom,
    size.top,
  );
  const [horizontal, vertical] = [columnOf(x), columnOf(y)];
  const grid = up.ticks.map(
    (value) =>
      markup`<line x1="${size.left}" x2="${size.width - size.right}" y1="${up.place(value)}" y2="${up.place(value)}"/><text x="${size.left - 8}" y="${up.place(value) + 4}" text-anchor="end">${figure(value, vertical.unit)}</text>`,
  );
  const below = across.ticks.map(
    (value) =>
      markup`<text x="${across.place(value)}" y="${size.height - 10}" text-anchor="middle">${figure(value, horizontal.unit)}</text>`,
  );
  const line = found.map((point) => `${across.place(point.x)},${up.place(point.y)}`).join(" ");
  const marks = marksOf(
    found.map((point) => ({ ...point, x: across.place(point.x), y: up.place(point.y) })),
    { left: size.left, right: size.width, top: 0, bottom: size.height - size.bottom },
  );
  const dots = marks.map(
    ({ x: cx, y: cy, title, rings, label }) =>
      markup`<g><title>${title}</title>${rings.map(({ radius, colour }) => markup`<circle cx="${cx}" cy="${cy}" r="${radius}" style="fill:${colour}"/>`)}</g>${label && markup`<text x="${label.x}" y="${label.y}" text-anchor="${label.anchor}">${label.text}</text>`}`,
  );
  return markup`<figure><figcaption>${vertical.label} against ${horizontal.label.toLowerCase()} <small>${vertical.measured}; ${horizontal.measured}</small></figcaption><svg class="plot" viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="${found.map((point) => `${point.label}: ${figure(point.x, horizontal.unit)}, ${figure(point.y, vertical.unit)}`).join("; ")}">${grid}${below}${joined && markup`<polyline points="${line}"/>`}${dots}</svg></figure>`;
}

/** Places for values between two edges, with room at both ends. */
function axis(
  values: readonly number[],
  from: number,
  to: number,
): { place: (value: number) => number; ticks: number[] } {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const margin = (high - low || Math.abs(high) || 1) * 0.12;
  const [start, end] = [low - margin, high + margin];
  return {
    place: (value) => Math.round(from + ((value - start) / (end - start)) * (to - from)),
    ticks: [0, 1, 2, 3].map((step) => low + ((high - low) * step) / 3),
  };
}
