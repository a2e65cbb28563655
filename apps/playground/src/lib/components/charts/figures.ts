import { runColumns, type TableColumn } from "tinygptv/notebook";

/** What a column of a table is; a sweep's parameters describe themselves. */
export const columnOf = (key: string): TableColumn =>
  runColumns.find((column) => column.key === key) ?? { key, label: key, measured: "as asked" };

/** A number for reading: three significant digits and its unit. */
export function figure(value: number, unit: string | undefined): string {
  const digits =
    Math.abs(value) >= 100
      ? value.toFixed(0)
      : Math.abs(value) >= 10
        ? value.toFixed(1)
        : value.toFixed(2);
  return unit === undefined ? digits.replace(/\.0+$/, "") : `${digits} ${unit}`;
}
