import { describe, expect, it } from "vitest";
import type { Notebook } from "./document.ts";
import { fromMarkdown, toMarkdown } from "./markdown.ts";
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
    const notebook = fromMarkdown(file);
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
    expect(toMarkdown(fromMarkdown(file))).toBe(file);
  });

  it("keeps every cell, however awkward", () => {
    for (let seed = 1; seed <= 300; seed++) {
      const notebook = awkwardNotebook(seed);
      expect(withoutIds(fromMarkdown(toMarkdown(notebook)))).toEqual(withoutIds(notebook));
    }
  });

  it("takes plain Markdown as text and its heading as the title", () => {
    const notebook = fromMarkdown("# Hello\r\n\r\n```js\r\n1\r\n```\r\n", "a.md");
    expect(notebook).toMatchObject({
      title: "Hello",
      cells: [{ type: "text", source: "# Hello\n\n```js\n1\n```" }],
    });
  });

  it.each([
    ["---\ntitle: x", "n.md:1: front matter: want a closing line ---, found none"],
    ["---\nformat: other/9\n---\n", "n.md:1: format: want tinygptv-notebook/1, got other/9"],
    ["a\n```prompt\nx", "n.md:2: prompt: want a closing ```, found none"],
    ["```prompt a b\n```", "n.md:1: want `prompt name`, got `prompt a b`"],
    ["```prompt 1a\n```", "n.md:1: prompt: name: want a letter"],
    ["```prompt\ntemprature: 1\n---\n```", "n.md:1: prompt: temprature: want one of type, "],
    ["```prompt\ndecoding: { temperature: -1 }\n---\n```", "n.md:1: prompt: decoding.temperature:"],
    ["```prompt\nid: x\n---\n```", "n.md:1: id: does not belong in the header"],
    [
      "```sweep\naxes: [{ parameter: colour, values: [1] }]\n---\n```",
      "axes[0].parameter: want one of method, ",
    ],
    ["```picture\n[1]\n```", "n.md:1: want `key: value` lines, got [1]"],
    ["```picture\n{\n```", "n.md:1: "],
    [
      "```prompt a\n```\n\n```prompt a\n```",
      "n.md: cells 1 and 2: want different names, both are called a",
    ],
  ])("refuses %j by name", (markdown, message) => {
    expect(() => fromMarkdown(markdown, "n.md")).toThrow(message);
  });
});
