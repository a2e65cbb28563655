/** The table: what was measured, beside what it is compared to and what is asked of it. */
import type { Depth } from "./dimensions.ts";
import type { describeMachine } from "./machine.ts";
import { median, type Samples } from "./statistics.ts";

export interface Row {
  name: string;
  /** Milliseconds, or bytes where `unit` says so. */
  ours: number;
  theirs?: number;
  unit: "ms" | "GB" | "";
  /** How many times as fast as `theirs`. */
  ratio?: number;
  wanted: string;
}

/** Ours, theirs, and the least ratio of speeds. */
const comparisons: [name: string, ours: string, theirs: string, wanted: string][] = [
  ["int4 decode at 150 / llama.cpp Q4_0", "int4 decode 150", "Q4_0 decode 150", "1.10"],
  ["int4 decode at 1000 / llama.cpp Q4_0", "int4 decode 1000", "Q4_0 decode 1000", "1.7"],
  ["int4 prefill 128 / llama.cpp Q4_0", "int4 prefill 128", "Q4_0 prefill 128", "1.5"],
  ["auto decode at 150 / llama.cpp Q4_0", "auto decode 150", "Q4_0 decode 150", "1.05"],
  ["int8 decode at 150 / llama.cpp Q8_0", "int8 decode 150", "Q8_0 decode 150", "1.25"],
  ["int8 decode at 1000 / llama.cpp Q8_0", "int8 decode 1000", "Q8_0 decode 1000", "1.6"],
  ["int8 prefill 128 / llama.cpp Q8_0", "int8 prefill 128", "Q8_0 prefill 128", "2.5"],
  ["vision encoder int8 / fp32", "int8 picture", "fp32 picture", "2.6"],
  ["warm start with a copy / without", "int4 warm start", "int4 warm start, no copy", ""],
  ["warm start with a copy / cold", "int4 warm start", "int4 cold start", ""],
];

export function summarize(samples: Samples, bytes: Readonly<Record<string, number>>): Row[] {
  const time = (key: string) => {
    const values = samples.get(key);
    return values && median(values);
  };
  const rows: Row[] = [];
  for (const [name, ourKey, theirKey, wanted] of comparisons) {
    const ours = time(ourKey);
    const theirs = time(theirKey);
    if (ours === undefined) continue;
    const compared = theirs === undefined ? {} : { theirs, ratio: theirs / ours };
    rows.push({ name, ours, unit: "ms", wanted, ...compared });
  }
  for (const level of ["int4", "auto"])
    for (const batch of [2, 4, 8]) {
      const ours = time(`${level} batch ${batch}`);
      const theirs = time(`${level} batch 1`);
      if (ours === undefined || theirs === undefined) continue;
      const wanted = (level === "int4" && { 4: "2.5", 8: "3.2" }[batch]) || "";
      const name = `${level} tokens a second, batch ${batch} / 1`;
      rows.push({
        name,
        ours: ours / batch,
        theirs,
        ratio: (batch * theirs) / ours,
        unit: "ms",
        wanted,
      });
    }
  const wantedBytes: Record<string, string> = { "int4 whole model, peak": "≤ 3.0" };
  for (const [name, value] of Object.entries(bytes))
    rows.push({ name, ours: value / 1e9, unit: "GB", wanted: wantedBytes[name] ?? "" });
  const bandwidth = bytes["memory bandwidth"];
  for (const level of ["int4", "auto", "int8"]) {
    const step = time(`${level} decode 150`);
    const weights = bytes[`${level} weights`];
    if (step !== undefined && weights !== undefined && bandwidth !== undefined)
      rows.push({
        name: `${level} weights read a second / memory bandwidth`,
        ours: weights / (step / 1000) / bandwidth,
        unit: "",
        wanted: "",
      });
  }
  return rows;
}

export function printTable(
  rows: readonly Row[],
  machine: ReturnType<typeof describeMachine>,
  { layers, blocks }: Depth,
): void {
  const { processor, cores, threads, load } = machine;
  console.log(
    `\n${layers} layers, ${blocks} vision blocks; ${processor}, ${threads} threads on ${cores} cores, load ${load.toFixed(1)}\n`,
  );
  const number = (value: number | undefined, unit = "") =>
    value === undefined ? "" : `${value.toFixed(value < 10 ? 2 : 1)}${unit && ` ${unit}`}`;
  const cells = [
    ["", "ours", "compared", "ratio", "wanted"],
    ...rows.map(({ name, ours, theirs, unit, ratio, wanted }) => [
      name,
      number(ours, unit),
      number(theirs, unit),
      number(ratio),
      wanted,
    ]),
  ];
  const widths = cells[0]!.map((_, i) => Math.max(...cells.map((row) => row[i]!.length)));
  for (const row of cells)
    console.log(
      row
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
        .join("  "),
    );
}
