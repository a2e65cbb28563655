import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CellOf } from "./cell.ts";
import { checkNotebook, type Notebook } from "./document.ts";
import { mend } from "./fence.ts";
import { fromMarkdown, toMarkdown } from "./markdown.ts";
import { remarkText } from "./remark.ts";
import { awkwardNotebook } from "./testing/awkward.ts";

const file = `---
format: tinygptv-notebook/1
title: A dog
model: nano:fp32
---

# A dog

Some text.

\`\`\`picture dog
file: ../models/nano/gallery/dog.png
alt: a dog
\`\`\`

\`\`\`prompt answer
pictures: [ dog ]
task: refer
decoding:
  method: greedy
  maxNewTokens: 32
---
where is the dog?
---
and what colour is {{dog}}?
\`\`\`

One text.

<!-- cell -->

Another.

\`\`\`chart
source: answer
mark: bars
x: label
y: total
\`\`\`
`;

const withoutIds = (notebook: Notebook): unknown => ({
  ...notebook,
  cells: notebook.cells.map(({ id: _id, ...cell }) => cell),
});

describe("notebook files", () => {
  it("reads what the format documentation shows", () => {
    const { notebook, remarks } = fromMarkdown(file);
    expect(remarks).toEqual([]);
    expect(notebook.title).toBe("A dog");
    expect(notebook.model).toBe("nano:fp32");
    expect(notebook.cells.map((cell) => cell.type)).toEqual([
      "text",
      "picture",
      "prompt",
      "text",
      "text",
      "chart",
    ]);
    expect(notebook.cells[2]).toMatchObject({
      name: "answer",
      pictures: ["dog"],
      task: "refer",
      decoding: { method: "greedy", maxNewTokens: 32 },
      rounds: ["where is the dog?", "and what colour is {{dog}}?"],
    });
  });

  it("writes the same file back", () => {
    expect(toMarkdown(fromMarkdown(file).notebook)).toBe(file);
  });

  it("keeps every cell, however awkward", () => {
    for (let seed = 1; seed <= 300; seed++) {
      const notebook = awkwardNotebook(seed);
      expect(withoutIds(fromMarkdown(toMarkdown(notebook)).notebook)).toEqual(withoutIds(notebook));
    }
  });

  it("takes plain Markdown as text and its heading as the title", () => {
    const { notebook } = fromMarkdown("# Hello\r\n\r\n```js\r\n1\r\n```\r\n", "a.md");
    expect(notebook).toMatchObject({
      title: "Hello",
      cells: [{ type: "text", source: "# Hello\n\n```js\n1\n```" }],
    });
  });

  it("shows its own format as text inside a longer fence", () => {
    const shown = "````markdown\n```prompt a\n---\nwhat?\n```\n````\n\n- ```prompt b\n  ```";
    const { notebook, remarks } = fromMarkdown(`${shown}\n`);
    expect(notebook.cells).toMatchObject([{ type: "text", source: shown }]);
    expect(remarks).toEqual([]);
    const written = toMarkdown(notebook);
    expect(written).toContain(shown); // without a backslash
    expect(fromMarkdown(written).notebook.cells).toEqual(notebook.cells);
  });

  it.each([
    ["a longer closing fence", "```prompt a\n---\nwhat?\n`````"],
    ["a blank behind it", "```prompt a\n---\nwhat?\n```  "],
    ["spaces before it", "  ```prompt a\n  ---\n  what?\n   ```"],
    ["tildes", "~~~prompt a\n---\nwhat?\n~~~"],
    ["a blank before the kind", "``` prompt a\n---\nwhat?\n```"],
  ])("takes every fence that CommonMark takes: %s", (_, markdown) => {
    const { notebook, remarks } = fromMarkdown(`${markdown}\n\nafter\n`);
    expect(remarks).toEqual([]);
    expect(notebook.cells).toMatchObject([
      { type: "prompt", name: "a", rounds: ["what?"] },
      { type: "text", source: "after" },
    ]);
  });
});

/** Lines that mean something to Markdown, or nearly do. */
const telling = [
  ["```", "````", "~~~", "```js", "```prompt x", "   ```prompt", "~~~sweep", "```promt"],
  ["<!-- cell -->", "<!-- name: z -->", "<!-- open", "-->", "<pre>", "</pre>", "<?", "<div>"],
  ["\\```", "\\\\<!-- cell -->", "    ```prompt", "\t```", "- ```chart", "> ```", "---", "", " "],
  ["text", "# h", "[a]: b", "<![CDATA[", "1. x", "\\"],
].flat();
const block = fc.oneof(
  fc.constantFrom(...telling),
  fc.string({ maxLength: 6 }).filter((text) => !/[\n\r]/.test(text)),
);
const source = fc.array(block, { maxLength: 12 }).map((lines) => lines.join("\n"));

describe("texts of any kind", () => {
  it("stay what they are between other cells", () => {
    fc.assert(
      fc.property(fc.array(source, { minLength: 1, maxLength: 4 }), source, (texts, question) => {
        const cells = [
          ...texts.map((text) => ({ type: "text" as const, source: text })),
          { type: "prompt" as const, rounds: [question] },
          { type: "text" as const, source: texts[0] ?? "" },
        ].map((cell, i) => ({ ...cell, id: `c${i + 1}` }));
        const notebook = checkNotebook({ title: "t", cells });
        const written = toMarkdown(notebook);
        expect(fromMarkdown(written)).toEqual({ notebook, remarks: [] });
      }),
      { numRuns: 300 },
    );
  });

  it("with very many fences are written in a moment", () => {
    const text = "```prompt x\n".repeat(20_000);
    const notebook = checkNotebook({
      title: "t",
      cells: [{ type: "text", id: "c1", source: text }],
    });
    const started = performance.now();
    expect(fromMarkdown(toMarkdown(notebook)).notebook).toEqual(notebook);
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});

/** What is said about a file, line by line. */
const said = (markdown: string): string[] => fromMarkdown(markdown, "n.md").remarks.map(remarkText);

describe("a file with mistakes", () => {
  const markdown = `---
format: tinygptv-notebook/1
title: Mistakes
---

# Mistakes

\`\`\`prompt sound

---
what is this?
\`\`\`

\`\`\`prompt cold
temprature: 1
decoding:
  maxNewTokens: many
  topP: 7
---
and this?
\`\`\`

\`\`\`promt lost
---
who?
\`\`\`

\`\`\`chart drawn
mark: bar
\`\`\`

\`\`\`prompt sound
---
again?
\`\`\`
`;

  it("opens; all mistakes are listed with their lines, in plain words", () => {
    expect(said(markdown)).toEqual([
      "line 15: prompt: temprature: there is no such setting here; did you mean temperature?",
      'line 17: prompt: decoding.maxNewTokens: want a whole number from 1 to 4096, got "many"',
      "line 18: prompt: decoding.topP: want a number from 0 to 1, got 7",
      "line 23: promt is no kind of cell; did you mean prompt?",
      'line 29: chart: mark: want one of bars, scatter, lines, got "bar"',
      "line 32: prompt: another cell is called sound; want another name",
    ]);
  });

  it("keeps what it could not read, byte for byte", () => {
    const { notebook } = fromMarkdown(markdown);
    expect(notebook.cells.map(({ type }) => type)).toEqual([
      "text",
      "prompt",
      "faulty",
      "faulty",
      "faulty",
      "faulty",
    ]);
    expect(toMarkdown(notebook)).toBe(markdown);
  });

  it("can be mended cell by cell", () => {
    const { notebook } = fromMarkdown(markdown);
    const [, , , lost, drawn] = notebook.cells as CellOf<"faulty">[];
    const mended = { ...lost!, source: lost!.source.replace("promt", "prompt") };
    expect(mend(mended, new Set())).toEqual({
      cell: expect.objectContaining({
        type: "prompt",
        name: "lost",
        rounds: ["who?"],
        id: lost!.id,
      }),
      mistakes: [],
    });
    expect(mend(mended, new Set(["lost"])).mistakes).toHaveLength(1);
    expect(mend(drawn!, new Set()).mistakes).toMatchObject([{ line: 1 }]);
  });

  it.each([
    ["```prompt a b\n```", "line 1: prompt: want one name after the kind, got a b"],
    [
      "```prompt 1a\n```",
      'line 1: prompt: name: want a letter, then letters, digits, _ or -, got "1a"',
    ],
    [
      "```prompt\ndecoding: { topK: -1 }\n---\n```",
      "line 2: prompt: decoding.topK: want a whole number from 0",
    ],
    ["```prompt\nid: x\n---\n```", "line 2: prompt: id: cells of a file have no id"],
    [
      "```sweep\naxes: [{ parameter: colour, values: [1] }]\n---\n```",
      "line 2: sweep: axes[0].parameter: want one of method",
    ],
    ["```picture\n[1]\n```", "line 2: picture: want `key: value` lines, got [1]"],
    ["```picture\nfile: a\n---\nb\n```", "line 3: picture: a line --- does not belong here"],
    ["```picture\nfile: a\nfile: b\n```", "line 3: picture: this setting stands here twice"],
    ["```picture\nalt: a: b\n```", "line 2: picture: this cannot be read as `key: value`"],
    ["```picture\nalt: *b\n```", "picture: a text that begins with * needs quotes"],
    ["```evaluation x\n```", "line 1: evaluation is no kind of cell; did you mean evaluate?"],
    ["```Prompt\n```", "line 1: Prompt is no kind of cell; did you mean prompt?"],
    ["<!-- name: 1a -->\nx", "line 1: text: name: want a letter"],
    [
      "---\nauthor: me\n---\n",
      "line 2: the top of the file: author: there is no such setting here",
    ],
    ["---\ntitle: [\n---\n", "line 2: the top of the file: "],
  ])("says what is wrong with %j", (text, message) => {
    expect(said(text).join("\n")).toContain(message);
    expect(said(text).join("\n")).not.toMatch(/YAML|parseAllDocuments|Invalid input/);
    const { notebook } = fromMarkdown(text);
    const again = fromMarkdown(toMarkdown(notebook));
    expect(again.notebook.cells).toEqual(notebook.cells);
  });

  it.each([
    "```js\nx\n```",
    "```text\n```",
    "```mermaid\n```",
    "```promql\nx\n```",
    "```swift\n```",
  ])("leaves other people's code alone: %j", (text) => {
    expect(fromMarkdown(text)).toMatchObject({
      remarks: [],
      notebook: { cells: [{ source: text }] },
    });
  });

  it("says which cell has no end; it takes in nothing that is added below", () => {
    expect(said("a\n```prompt\nx")).toEqual(["line 2: this cell has no closing line of ```"]);
    const { notebook } = fromMarkdown("a\n```prompt\nx");
    const cells = [...notebook.cells, { type: "text" as const, id: "c3", source: "below" }];
    const again = fromMarkdown(toMarkdown({ ...notebook, cells }));
    expect(again.notebook.cells.map(({ type }) => type)).toEqual(["text", "faulty", "text"]);
  });

  it("says where the end of a cell is missing and the next one's stands for it", () => {
    const first = "```prompt a\n---\nwhat?\n\n";
    const second = "```prompt b\n---\nwho?\n```";
    expect(said(first + second)).toEqual([expect.stringMatching(/^line 5: a cell begins inside/)]);
    expect(said(`\`${first}${second}\n\`\`\`\``)).toEqual([]); // meant: the fence is longer
  });

  it("is refused as a whole only where it is none of ours", () => {
    expect(() => fromMarkdown("---\nformat: other/9\n---\n", "n.md")).toThrow(
      "n.md: format: want tinygptv-notebook/1, got other/9",
    );
  });
});

describe("whatever stands in a file", () => {
  const settings = [
    ["pictures: [ dog ]", "pictures: dog", "decoding: { temperature: 0 }", "decoding: 7", "- a"],
    ["decoding:", "  topP: 7", "  stop: [", "a: &x 1", "b: *x", "<<: *x", "? x", "a: !!map b"],
    ["__proto__: 1", "name: x", "{", "}", '"', "%YAML 9", "...", "---", "axes: 1", "columns: [1]"],
    ["file: 1", "mark: bar", "items: [{}]", "\tx: 1", "x: |", "null", "~", "", "# c", "a: b: c"],
  ].flat();
  const setting = fc.oneof(
    fc.constantFrom(...settings),
    fc.string({ maxLength: 8 }).filter((text) => !/[\r\n]/.test(text)),
  );
  const opened = fc.constantFrom(
    "prompt a",
    "prompt",
    "sweep",
    "compare b",
    "picture",
    "promt",
    "chart x y",
  );
  const fence = fc
    .tuple(opened, fc.array(setting, { maxLength: 6 }), fc.constantFrom("```", "````", "", "~~~"))
    .map(([info, lines, end]) => ["```" + info, ...lines, end].join("\n"));
  const front = fc
    .array(setting, { maxLength: 3 })
    .map((lines) => ["---", ...lines, "---"].join("\n"));

  it("opens, and goes out and comes in again as it is", () => {
    fc.assert(
      fc.property(front, fc.array(fc.oneof(fence, source), { maxLength: 5 }), (top, blocks) => {
        const { notebook, remarks } = fromMarkdown([top, ...blocks].join("\n\n"));
        fc.pre(!remarks.some(({ message }) => message.includes("closing"))); // gets an end
        const written = toMarkdown(notebook);
        const again = fromMarkdown(written).notebook;
        expect(toMarkdown(again)).toBe(written);
      }),
      { numRuns: 300 },
    );
  });
});
