import { describe, expect, it } from "vitest";
import { checkNotebook, type Notebook } from "./document.ts";
import { contentHash } from "./hash.ts";
import { toIpynb, withOutputs } from "./ipynb.ts";
import { emptyAnswer, type Output } from "./output.ts";
import { fromIpynb } from "./readIpynb.ts";
import { remarkText } from "./remark.ts";
import { packNotebook } from "./sideFiles.ts";
import { awkwardNotebook, awkwardOutputs } from "./testing/awkward.ts";
import { nbformatSchema } from "./testing/nbformat.ts";

const png = Uint8Array.from("\x89PNG\r\n\x1a\n and more", (character) => character.charCodeAt(0));
const kept = `sha256:${contentHash(png)}`;
const noOutput = (): undefined => undefined;
const noPicture = (file: string): Promise<never> => Promise.reject(new Error(`no ${file}`));
const readPng = (): Promise<Uint8Array> => Promise.resolve(png);

const withPicture = (file: string): Notebook =>
  checkNotebook({
    title: "t",
    cells: [
      { type: "text", id: "t", source: "# T" },
      { type: "picture", id: "p", name: "dog", file, alt: "a dog" },
    ],
  });

/** A cell of the file as data, to look at and to spoil. */
interface RawCell {
  source: string[];
  outputs: { data: Record<string, unknown> }[];
}
const cellsOf = (json: string): RawCell[] => (JSON.parse(json) as { cells: RawCell[] }).cells;
function spoiled(json: string, index: number, spoil: (cell: RawCell) => void): string {
  const data = JSON.parse(json) as { cells: RawCell[] };
  const cell = data.cells[index];
  if (cell !== undefined) spoil(cell);
  return JSON.stringify(data);
}

describe("a notebook in Jupyter's format", () => {
  it("keeps every cell and every output, however awkward, and is valid under nbformat 4.5", async () => {
    for (let seed = 1; seed <= 300; seed++) {
      const notebook = awkwardNotebook(seed);
      const outputs = awkwardOutputs(notebook, seed);
      const json = await toIpynb(notebook, ({ id }) => outputs.get(id), noPicture);
      nbformatSchema.parse(JSON.parse(json));
      expect(fromIpynb(json)).toEqual({ notebook, outputs, pictures: new Map(), remarks: [] });
    }
  });

  it("holds kept pictures, so that Jupyter shows them and they come back", async () => {
    const notebook = withPicture(kept);
    const json = await toIpynb(notebook, noOutput, readPng);
    nbformatSchema.parse(JSON.parse(json));
    expect(cellsOf(json)[1]?.outputs[0]?.data).toEqual({
      "image/png": Buffer.from(png).toString("base64"),
      "text/plain": ["a dog"],
    });
    expect(fromIpynb(json)).toEqual({
      notebook,
      outputs: new Map(),
      pictures: new Map([[kept, png]]),
      remarks: [],
    });
  });

  it("shows pictures named by a path, but does not keep them", async () => {
    const notebook = withPicture("dog.png");
    const json = await toIpynb(notebook, noOutput, readPng);
    expect(cellsOf(json)[1]?.outputs[0]?.data).toHaveProperty(["image/png"]);
    expect(fromIpynb(json)).toMatchObject({ notebook, outputs: new Map(), pictures: new Map() });
    await expect(toIpynb(notebook, noOutput, noPicture)).resolves.toContain("dog.png");
  });

  it("is not written without a picture it should keep", async () => {
    await expect(toIpynb(withPicture(kept), noOutput, noPicture)).rejects.toThrow(`no ${kept}`);
  });

  it("comes back from a Jupyter that wraps base64 and cleared the outputs", async () => {
    const json = await toIpynb(withPicture(kept), noOutput, readPng);
    const wrapped = spoiled(json, 1, ({ outputs }) => {
      const data = outputs[0]!.data;
      data["image/png"] = String(data["image/png"])
        .replace(/(.{8})/g, "$1\n")
        .split(/(?<=\n)/);
    });
    expect(fromIpynb(wrapped).pictures.get(kept)).toEqual(png);
    const cleared = spoiled(json, 1, (cell) => (cell.outputs = []));
    expect(fromIpynb(cleared)).toMatchObject({ notebook: withPicture(kept), pictures: new Map() });
  });

  it("shows the picture it has where that is not the one its cell names, and says so", async () => {
    const json = await toIpynb(withPicture(kept), noOutput, readPng);
    const other = fromIpynb(
      spoiled(json, 1, ({ outputs }) => (outputs[0]!.data["image/png"] = "AAAA")),
    );
    const [name] = other.pictures.keys();
    expect(other.notebook.cells[1]).toMatchObject({ file: name });
    expect(other.remarks.map(remarkText)).toEqual([expect.stringMatching(/^cell 2: the picture/)]);
    const broken = fromIpynb(
      spoiled(json, 1, ({ outputs }) => (outputs[0]!.data["image/png"] = "%%")),
    );
    expect(broken.notebook).toEqual(withPicture(kept));
    expect(broken.remarks.map(remarkText)).toEqual([
      "cell 2: the picture in it cannot be read and is left out",
    ]);
  });
});

const run = (label: string, text: string): Output["runs"][number] => ({
  label,
  decoding: {},
  coordinates: {},
  pictures: [],
  state: "done",
  answers: [{ ...emptyAnswer({ rounds: [{ prompt: "?" }] }), text }],
});
const asked = checkNotebook({
  title: "t",
  cells: [
    { type: "prompt", id: "a", rounds: ["?"] },
    { type: "compare", id: "b", rounds: ["?"], columns: [{ label: "x" }, { label: "y" }] },
  ],
});
const outputs = new Map<string, Output>([
  ["a", { inputs: "", at: "", runs: [run("a", "a dog")], scores: [] }],
  ["b", { inputs: "", at: "", runs: [run("x", "a | b"), run("y", "<b>")], scores: [] }],
]);
const askedJson = () => toIpynb(asked, ({ id }) => outputs.get(id), noPicture);

describe("outputs in Jupyter's format", () => {
  it("can be read by people: text for an answer, a table for several", async () => {
    const [prompt, compare] = cellsOf(await askedJson());
    expect(prompt?.outputs[0]?.data["text/plain"]).toEqual(["a dog"]);
    expect(prompt?.outputs[0]?.data).not.toHaveProperty(["text/markdown"]);
    expect(compare?.outputs[0]?.data).toMatchObject({
      "text/plain": ["x: a | b\n", "y: <b>"],
      "text/markdown": [
        "| Run | Answer |\n",
        "| --- | --- |\n",
        "| x | a \\| b |\n",
        "| y | \\<b\\> |\n",
      ],
    });
  });

  it("that were changed into something else are left out, by cell and field", async () => {
    const json = spoiled(await askedJson(), 1, ({ outputs: [first] }) => {
      first!.data["application/vnd.tinygptv.output+json"] = { inputs: "", at: 1, runs: [] };
    });
    const read = fromIpynb(json, "n.ipynb");
    expect([...read.outputs.keys()]).toEqual(["a"]);
    expect(read.remarks).toMatchObject([
      { kind: "note", place: "cell 2", message: expect.stringContaining("at: want a text, got 1") },
    ]);
  });

  it("of other programs are left out", async () => {
    const json = spoiled(await askedJson(), 0, (cell) => {
      cell.outputs = [
        { output_type: "stream", name: "stdout", text: "x" } as never,
        ...cell.outputs,
      ];
    });
    expect(fromIpynb(json).outputs).toEqual(outputs);
    const only = spoiled(json, 0, (cell) => cell.outputs.splice(1));
    expect(fromIpynb(only).outputs.has("a")).toBe(false);
  });

  it("can be put into a file of somebody else, which stays as it is otherwise", () => {
    const theirs = {
      nbformat: 4,
      nbformat_minor: 5,
      metadata: { kernelspec: { name: "python3" } },
      cells: [
        { cell_type: "code", source: "print(1)", metadata: { x: 1 }, outputs: [1], id: "p" },
        { cell_type: "code", source: "%%prompt\n---\n?", metadata: {}, outputs: [2], id: "a" },
      ],
    };
    const json = JSON.stringify(theirs);
    const { notebook } = fromIpynb(json);
    const written = withOutputs(json, notebook, ({ id }) => outputs.get(id));
    expect(fromIpynb(written).outputs).toEqual(new Map([["a", outputs.get("a")]]));
    const data = JSON.parse(written) as typeof theirs;
    data.cells[1]!.outputs = [2];
    expect(data).toEqual(theirs);
  });
});

describe("other Jupyter notebooks", () => {
  it("are taken; code becomes text", () => {
    const foreign = {
      nbformat: 4,
      nbformat_minor: 5,
      metadata: { kernelspec: { name: "python3" } },
      cells: [
        { id: "x", cell_type: "markdown", source: ["# T\n", "b"], metadata: {} },
        {
          id: "x",
          cell_type: "code",
          source: "print(1)",
          metadata: {},
          outputs: [],
          execution_count: 1,
        },
      ],
    };
    const { cells } = fromIpynb(JSON.stringify(foreign), "t.ipynb").notebook;
    expect(cells.map((cell) => cell.type === "text" && cell.source)).toEqual([
      "# T\nb",
      "```\nprint(1)\n```",
    ]);
    expect(new Set(cells.map((cell) => cell.id)).size).toBe(2);
  });

  it("keep pictures pasted into text, there and back", async () => {
    const base64 = Buffer.from(png).toString("base64");
    const cells = [
      {
        id: "a1",
        cell_type: "markdown",
        source: "![a](attachment:my%20apple.png) and\n![b](attachment:b.png)",
        metadata: {},
        attachments: {
          "my apple.png": { "image/png": base64 },
          "b.png": { "image/png": "AAAA" },
          "c.png": { "image/png": "AAAA" },
          "d.txt": { "text/plain": "d" },
        },
      },
    ];
    const json = JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata: {}, cells });
    const read = fromIpynb(json);
    expect(read.notebook.cells).toMatchObject([
      { type: "text", source: expect.stringContaining(`![a](${kept}#my%20apple.png)`) },
    ]);
    expect(read.pictures.get(kept)).toEqual(png);
    expect(read.pictures.size).toBe(2);
    expect(read.remarks.map(remarkText)).toEqual([
      "cell 1: its attachment c.png is not shown in its text and left out",
      "cell 1: its attachment d.txt is no picture and left out",
    ]);
    const readPicture = (file: string) => Promise.resolve(read.pictures.get(file)!);
    const written = await toIpynb(read.notebook, noOutput, readPicture);
    nbformatSchema.parse(JSON.parse(written));
    const { "my apple.png": apple, "b.png": b } = cells[0]!.attachments;
    expect(JSON.parse(written).cells[0]).toMatchObject({
      source: ["![a](attachment:my%20apple.png) and\n", "![b](attachment:b.png)"],
      attachments: {
        "my apple.png": apple,
        "b.png": { "application/octet-stream": b["image/png"] },
      },
    });
    const packed = await packNotebook(read.notebook, noOutput, readPicture);
    expect(packed.files.get(`sha256-${kept.slice(7)}`)).toEqual(png);
  });

  it("keep pictures that their code drew; what it printed is told as left out", async () => {
    const data = { "image/png": Buffer.from(png).toString("base64"), "text/plain": "<Figure>" };
    const code = {
      cell_type: "code",
      source: "plot()",
      metadata: {},
      outputs: [
        { output_type: "stream", text: "x" },
        { output_type: "display_data", data },
      ],
    };
    const json = JSON.stringify({ nbformat: 4, metadata: {}, cells: [code] });
    const read = fromIpynb(json);
    expect(read.notebook.cells).toMatchObject([
      { source: `\`\`\`\nplot()\n\`\`\`\n\n![output](${kept}#output1)` },
    ]);
    expect(read.pictures.get(kept)).toEqual(png);
    expect(read.remarks).toMatchObject([{ kind: "note", place: "cell 1" }]);
  });

  it("open whatever is wrong in a cell, which says so and stays as it is", async () => {
    const cells = [
      { cell_type: "code", source: "%%prompt a\ntemprature: 1\n---\n?", metadata: {}, id: "a b" },
      { cell_type: "code", source: "%%promt b\n---\n?", metadata: {} },
      { cell_type: "code", source: "%%time\nx", metadata: {} },
      { cell_type: "markdown", source: "t", metadata: { tinygptv: { name: "1" } } },
    ];
    const json = `\uFEFF${JSON.stringify({ nbformat: 4, metadata: { title: 1 }, cells })}`;
    const { notebook, remarks } = fromIpynb(json, "n.ipynb");
    expect(notebook.title).toBe("n");
    expect(notebook.cells.map(({ type }) => type)).toEqual(["faulty", "faulty", "text", "text"]);
    expect(remarks.map(remarkText)).toEqual([
      "cell 1: line 2: prompt: temprature: there is no such setting here; did you mean temperature?",
      "cell 2: line 1: promt is no kind of cell; did you mean prompt?",
      "cell 4: it cannot be called 1, and has no name now",
    ]);
    const written = cellsOf(await toIpynb(notebook, noOutput, noPicture));
    expect(written[0]?.source.join("")).toBe(cells[0]!.source);
    expect(written[1]?.source.join("")).toBe(cells[1]!.source);
  });

  it.each(["[]", "{", '{"nbformat":3,"metadata":{},"cells":[]}'])("refuses %s", (json) => {
    expect(() => fromIpynb(json, "n.ipynb")).toThrow("n.ipynb: want");
  });
});
