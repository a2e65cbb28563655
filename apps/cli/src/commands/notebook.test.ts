import { copyFile, mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { repository, runCli, temporaryFolder } from "../testing/runCli.ts";

const folder = temporaryFolder();
const nano = "models/nano/converted";

/** A notebook about the apple in a folder of its own. */
async function appleNotebook(name: string, text: string): Promise<string> {
  const file = join(folder.path(name), "apple.md");
  await mkdir(dirname(file), { recursive: true });
  await copyFile(`${repository}/models/nano/gallery/apple.png`, join(dirname(file), "apple.png"));
  const picture = "```picture apple\nfile: apple.png\n```";
  await writeFile(
    file,
    `${picture}\n\n\`\`\`prompt answer\npictures: [ apple ]\n---\n${text}\n\`\`\`\n`,
  );
  return file;
}

describe("notebook run", () => {
  it.each(["first-steps", "decoding", "quantization-levels", "grounding"])(
    "runs notebooks/%s.md without a failed run",
    async (name) => {
      const { end, stdout, stderr } = await runCli([
        ["notebook", "run", `notebooks/${name}.md`, "--model", nano, "--json"],
      ]);
      expect({ end, stderr }).toEqual({ end: 0, stderr: "" });
      const cells = stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
      const states = cells.flatMap(({ runs }) => runs.map(({ state }: { state: string }) => state));
      expect(new Set(states)).toEqual(new Set(["done"]));
    },
  );

  it("prints answers and keeps outputs beside the file on request", async () => {
    const file = await appleNotebook("write", "what is this?");
    const { end, stdout } = await runCli(["notebook", "run", file, "--model", nano, "--write"]);
    expect({ end, stdout }).toEqual({ end: 0, stdout: "prompt answer\n  answer  an apple\n" });
    const [, hash] = /^output: sha256:([0-9a-f]{64})$/m.exec(await readFile(file, "utf8")) ?? [];
    expect(await readdir(file.replace(/\.md$/, ".files"))).toEqual([`sha256-${hash}`]);
  });

  it("runs a notebook of Jupyter and changes nothing in it but the outputs", async () => {
    const file = (await appleNotebook("jupyter", "")).replace(/\.md$/, ".ipynb");
    const code = (source: string) => ({
      cell_type: "code",
      execution_count: 1,
      metadata: {},
      source,
      outputs: [],
    });
    const picture = `${repository}/models/nano/gallery/apple.png`; // an absolute path
    const question = "%%prompt answer\npictures: [ apple ]\n---\nwhat is this?";
    const cells = [code("print(1)"), code(`%%picture apple\nfile: ${picture}`), code(question)];
    const before = { nbformat: 4, nbformat_minor: 4, metadata: { kernelspec: {} }, cells };
    await writeFile(file, `\uFEFF${JSON.stringify(before)}`);
    const { end, stdout } = await runCli(["notebook", "run", file, "--model", nano, "--write"]);
    expect({ end, stdout }).toEqual({ end: 0, stdout: "prompt answer\n  answer  an apple\n" });
    const after = JSON.parse(await readFile(file, "utf8"));
    expect(after.cells[2].outputs[0].data["text/plain"]).toEqual(["an apple"]);
    after.cells[2].outputs = [];
    expect(after).toEqual(before);
  });

  it("lists every mistake of a file and runs nothing of it", async () => {
    const file = await appleNotebook("mistakes", "what is this?");
    const sound = await readFile(file, "utf8");
    const wrong = "```prompt b\ntemprature: 1\n---\nx\n```\n\n```promt c\n---\ny\n```\n";
    await writeFile(file, `${sound}\n${wrong}`);
    const { end, stdout, stderr } = await runCli(["notebook", "run", file, "--model", nano]);
    expect({ end: end !== 0, stdout }).toEqual({ end: true, stdout: "" });
    expect(stderr).toContain("nothing was run, it has 2 mistakes:");
    expect(stderr).toMatch(/line 12: prompt: temprature: .*did you mean temperature\?/);
    expect(stderr).toMatch(/line 17: promt is no kind of cell/);
  });

  it.each([
    ["notebooks", "notebooks: want a notebook, got a folder"],
    ["gone.ipynb", "gone.ipynb: want a notebook, got no such file"],
  ])("says what %s is", async (path, message) => {
    const { end, stderr } = await runCli(["notebook", "run", path, "--model", nano]);
    expect({ end, stderr }).toEqual({ end: 1, stderr: `error: ${message}\n` });
  });

  it("says which reference is wrong", async () => {
    const file = await appleNotebook("wrong", "is it {{nothing}}?");
    const { end, stderr } = await runCli(["notebook", "run", file, "--model", nano]);
    expect(end).toBe(1);
    expect(stderr).toContain("{{nothing}}: no cell is called nothing");
  });
});
