/** The YAML above a cell's text and at the top of a file, and where in it each setting stands. */
import { LineCounter, isMap, isNode, parseDocument, type ErrorCode } from "yaml";
import type { Mistake } from "./remark.ts";

export interface Header {
  fields: Record<string, unknown>;
  mistakes: Mistake[];
  /** Line of a setting (the nearest there is), from 0. */
  lineOf: (path: readonly PropertyKey[]) => number;
}

const plain: Partial<Record<ErrorCode, string>> = {
  MULTIPLE_DOCS:
    "a line --- does not belong here: only prompts, sweeps and comparisons have a text below it",
  DUPLICATE_KEY: "this setting stands here twice",
  TAB_AS_INDENT: "lines are indented with spaces, not with tabs",
  BAD_INDENT: "the indentation does not fit the lines around it",
  BAD_ALIAS: "a text that begins with * needs quotes",
};
const unreadable =
  "this cannot be read as `key: value`; texts with signs like : # [ { need quotes around them";

export function readHeader(text: string): Header {
  const lines = new LineCounter();
  const document = parseDocument(`${text}\n`, { lineCounter: lines, prettyErrors: false });
  const last = text.split("\n").length - 1;
  const lineAt = (offset: number): number => Math.min(lines.linePos(offset).line - 1, last);
  const lineOf = (path: readonly PropertyKey[]): number => {
    for (let length = path.length; length > 0; length--) {
      const parent: unknown =
        length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
      const key = path[length - 1];
      const pair = isMap(parent)
        ? parent.items.find((item) => String(item.key) === key)
        : undefined;
      const node: unknown = pair?.key ?? document.getIn(path.slice(0, length), true);
      if (isNode(node) && node.range) return lineAt(node.range[0]);
    }
    return 0;
  };
  const wrong = (line: number, message: string): Header => ({
    fields: {},
    mistakes: [{ line, message }],
    lineOf,
  });
  if (document.errors.length > 0) {
    const mistakes = document.errors.map(({ code, pos }) => ({
      line: lineAt(pos[0]),
      message: plain[code] ?? unreadable,
    }));
    // One slip often makes the parser complain several times about a line.
    const first = mistakes.filter(
      ({ line }, i) => mistakes.findIndex((other) => other.line === line) === i,
    );
    return { fields: {}, mistakes: first, lineOf };
  }
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 0 }) ?? {};
  } catch {
    return wrong(0, plain.BAD_ALIAS ?? unreadable);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return wrong(0, `want \`key: value\` lines, got ${JSON.stringify(value)}`);
  return { fields: value as Record<string, unknown>, mistakes: [], lineOf };
}
