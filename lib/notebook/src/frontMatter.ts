/** The lines between `---` and `---` at the top of a file. */
import { TinyGptvError, faultsOf } from "@tinygptv/protocol";
import { z } from "zod";
import { fenced } from "./blocks.ts";
import { notebookFormat, notebookSchema } from "./document.ts";
import { readHeader } from "./header.ts";
import { faultText } from "./faultText.ts";
import type { Remark } from "./remark.ts";

export interface Front {
  title?: string | undefined;
  model?: string | undefined;
  /** Whether the file says that it is one of ours: then backslashes before fences are ours too. */
  ours: boolean;
  /** Line the cells begin at, from 0. */
  start: number;
  /** What of it has no place in a notebook, as text. */
  rest?: string;
  remarks: Remark[];
}

const frontSchema = z.strictObject({
  format: z.string().optional(),
  title: z.preprocess(
    (title) => (typeof title === "number" || typeof title === "boolean" ? String(title) : title),
    notebookSchema.shape.title.optional(),
  ),
  model: notebookSchema.shape.model,
});

/** @throws TinyGptvError "parameter" where the file is in another format */
export function readFront(lines: readonly string[], file: string): Front {
  const end = lines[0] === "---" ? lines.indexOf("---", 1) : -1;
  if (end === -1) return { ours: false, start: 0, remarks: [] };
  const text = lines.slice(1, end).join("\n");
  const { fields, mistakes, lineOf } = readHeader(text);
  const format = fields["format"];
  if (format !== undefined && format !== notebookFormat) {
    throw new TinyGptvError(
      "parameter",
      `${file}: format: want ${notebookFormat}, got ${String(format)}`,
    );
  }
  const parsed = frontSchema.safeParse(fields);
  const faults = parsed.success ? [] : faultsOf(parsed.error, frontSchema, fields);
  const wrong = [
    ...mistakes,
    ...faults.map((fault) => ({ line: lineOf(fault.path), message: faultText(fault) })),
  ];
  const good = Object.fromEntries(
    Object.entries(fields).filter(([key]) => !faults.some(({ path }) => path[0] === key)),
  );
  const { title, model } = frontSchema.parse(good);
  return {
    title,
    model,
    ours: format !== undefined,
    start: end + 1,
    ...(wrong.length > 0 && { rest: fenced("yaml", text) }),
    remarks: wrong.map(({ line, message }) => ({
      kind: "note",
      place: `line ${line + 2}`,
      message: `the top of the file: ${message}; it is kept as a text`,
    })),
  };
}
