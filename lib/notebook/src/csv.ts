import { tableColumns, type TableRow, type TableValue } from "./table.ts";

/** A table as CSV (RFC 4180), its first record the columns with their units. */
export function toCsv(rows: readonly TableRow[]): string {
  const columns = tableColumns(rows);
  const header = columns.map(({ label, unit }) =>
    unit === undefined ? label : `${label} (${unit})`,
  );
  const records = [header, ...rows.map((row) => columns.map(({ key }) => row[key]))];
  return records.map((record) => `${record.map(field).join(",")}\r\n`).join("");
}

/** Text that a spreadsheet would run as a formula gets an apostrophe before it; answers are anybody's. */
function field(value: TableValue): string {
  if (typeof value !== "string") return value === undefined ? "" : String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
