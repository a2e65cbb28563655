import type { Scores } from "@tinygptv/evaluate";
import { table } from "../terminal/output.ts";

/** Figures in percent: all, then each kind of question. */
export function scoreTable({ count, figures, byType }: Scores): string {
  const names = Object.keys(figures);
  const row = (name: string, of: number, own: Scores["figures"]) => [
    name,
    of,
    ...names.map((rule) => percent(own[rule]!)),
  ];
  return table([
    ["", "count", ...names],
    row("all", count, figures),
    ...Object.entries(byType).map(([type, part]) => row(`  ${type}`, part.count, part.figures)),
  ]);
}

/** `46.1`: figures as papers write them. */
export const percent = (figure: number): string => (100 * figure).toFixed(1);
