/** A line chart as SVG: series over a common x axis, from zero up. */
export interface Series {
  name: string;
  points: readonly (readonly [x: number, y: number])[];
}

export interface Chart {
  title: string;
  xLabel: string;
  yLabel: string;
  series: readonly Series[];
}

const width = 640;
const height = 360;
const left = 56;
const right = 120;
const top = 36;
const bottom = 48;
/** Told apart by people who see few colours (Okabe and Ito's palette). */
const colours = ["#0072b2", "#d55e00", "#009e73", "#cc79a7"];

export function lineChart({ title, xLabel, yLabel, series }: Chart): string {
  const points = series.flatMap((one) => one.points);
  const xMax = Math.max(...points.map(([x]) => x));
  const yStep = niceStep(Math.max(...points.map(([, y]) => y)) / 5);
  const yMax = yStep * Math.ceil(Math.max(...points.map(([, y]) => y)) / yStep);
  const at = ([x, y]: readonly [number, number]) =>
    [
      left + (x / xMax) * (width - left - right),
      height - bottom - (y / yMax) * (height - top - bottom),
    ].map((value) => value.toFixed(1)) as [string, string];

  const xTicks = [...new Set(points.map(([x]) => x))].toSorted((a, b) => a - b);
  const grid = Array.from({ length: Math.round(yMax / yStep) + 1 }, (_, i) => i * yStep).map(
    (value) => {
      const [, y] = at([0, value]);
      return `<path d="M${left} ${y}H${width - right}" stroke="#8884"/><text x="${left - 8}" y="${y}" dy="4" text-anchor="end">${round(value)}</text>`;
    },
  );
  const ticks = xTicks.map((value) => {
    const [x] = at([value, 0]);
    return `<text x="${x}" y="${height - bottom + 18}" text-anchor="middle">${value}</text>`;
  });
  const lines = series.map(({ name, points: own }, i) => {
    const colour = colours[i % colours.length]!;
    const path = own.map((point) => at(point).join(" ")).join("L");
    const dots = own.map((point) => {
      const [x, y] = at(point);
      return `<circle cx="${x}" cy="${y}" r="3" fill="${colour}"/>`;
    });
    const [x, y] = at(own.at(-1)!);
    return `<path d="M${path}" fill="none" stroke="${colour}" stroke-width="2"/>${dots.join("")}<text x="${Number(x) + 8}" y="${y}" dy="4" fill="${colour}">${escape(name)}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" fill="#777" role="img" aria-label="${escape(title)}">
<text x="${left}" y="20" font-size="14">${escape(title)}</text>
<text x="${left}" y="${height - 8}">${escape(xLabel)}</text>
<text x="16" y="${height - bottom}" transform="rotate(-90 16 ${height - bottom})">${escape(yLabel)}</text>
${[...grid, ...ticks, ...lines].join("\n")}
</svg>
`;
}

/** 1, 2 or 5 times a power of ten, at least `size`. */
function niceStep(size: number): number {
  const power = 10 ** Math.floor(Math.log10(size));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= size)!;
}

const round = (value: number) => Number(value.toPrecision(6));

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
