import { runColumns } from "@tinygptv/notebook";
import type { TableColumn } from "@tinygptv/notebook";

/** What a column of a table is; a sweep's parameters describe themselves. */
export const columnOf = (key: string): TableColumn =>
  runColumns.find((column) => column.key === key) ?? { key, label: key, measured: "as asked" };

/** A number for reading: three significant digits and its unit. */
export function figure(value: number, unit: string | undefined): string {
  const size = Math.abs(value);
  const digits =
    size >= 100
      ? value.toFixed(0)
      : size >= 10
        ? value.toFixed(1)
        : size === 0
          ? "0"
          : size >= 0.001
            ? value.toPrecision(3)
            : value.toExponential(1);
  return unit === undefined ? digits.replace(/\.0+$/, "") : `${digits} ${unit}`;
}
