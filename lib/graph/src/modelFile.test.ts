import { mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import onnxProto from "onnx-proto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GraphBuilder } from "./builder.ts";
import type { Graph } from "./graph.ts";
import { readModel, writeModel } from "./modelFile.ts";
import { decodeModel, encodeModel, type StoredData } from "./onnx.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tinygptv-graph-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** One initializer of so many bytes each, with bytes that tell which. */
function graphOf(sizes: readonly number[]): Graph {
  const g = new GraphBuilder("test");
  let x = g.input("x", "uint8", ["batch", 3]);
  for (const [i, size] of sizes.entries()) {
    const load = async () => new Uint8Array(size).fill(i + 1);
    g.initializer({ name: `w${i}`, dtype: "uint8", shape: [size], load });
    x = g.at(`${i}`).op("Transpose", [x], { attributes: { perm: [1, 0] } });
    g.endBlock(x);
  }
  g.stage("first", x);
  g.output("y", x);
  return g.build();
}

describe("writeModel and readModel", () => {
  it("give the same graph back", async () => {
    const g = GraphBuilder.on(graphOf([0, 5, 1023, 1024, 5000]));
    g.constant("int64", [3, -1]);
    const graph = g.build();
    const path = join(folder, "same.onnx");
    await writeModel(path, graph);
    const { initializers, ...read } = await readModel(path);
    const { initializers: written, ...rest } = graph;
    expect(read).toEqual(rest);
    expect([...initializers.keys()]).toEqual([...written.keys()]);
    for (const [key, { load, ...described }] of written) {
      expect(initializers.get(key)).toMatchObject(described);
      expect(Buffer.compare(await initializers.get(key)!.load(), await load())).toBe(0);
    }
  });

  it("keep attributes of all kinds, and more than nine blocks in their order", () => {
    const attributes = {
      axis: -1,
      large: 2 ** 40,
      alpha: { float: 0.5 },
      mode: "é",
      dims: [0, -1],
    };
    const node = { name: "n", op: "Any", domain: "any", inputs: ["x"], outputs: ["y"], attributes };
    const blocks = Array.from({ length: 12 }, (_, i) => `block ${i}`);
    const graph: Graph = { ...graphOf([]), nodes: [node], blocks };
    const { nodes, blocks: read } = decodeModel(encodeModel(graph, new Map()), async () => {
      throw new Error("nothing to load");
    });
    expect([nodes, read]).toEqual([[node], blocks]);
  });

  it("refuse a graph whose shapes do not fit, and write nothing", async () => {
    const path = join(folder, "wrong.onnx");
    const g = new GraphBuilder("test");
    g.output("y", g.input("x", "float32", ["batch", 3]));
    const graph = g.build();
    const outputs = [{ ...graph.outputs[0]!, shape: ["batch", 4] }];
    await expect(writeModel(path, { ...graph, outputs })).rejects.toMatchObject({
      code: "layout",
      message: "graph test: output y: want float32 (batch,4), got float32 (batch,3)",
    });
    await expect(readFile(`${path}.data`)).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("keep small weights in the graph and start others on pages, large ones on 64 KiB", async () => {
    const path = join(folder, "aligned.onnx");
    const large = 1 << 20;
    await writeModel(path, graphOf([1023, 1024, 1025, large, 4097, large]));
    const { graph } = onnxProto.onnx.ModelProto.decode(await readFile(path));
    const external = graph!.initializer!.map(({ externalData }) =>
      Object.fromEntries((externalData ?? []).map(({ key, value }) => [key!, value!])),
    );
    const file = "aligned.onnx.data";
    const at = (offset: number, length: number) => ({
      location: file,
      offset: String(offset),
      length: String(length),
    });
    expect(external).toEqual([
      {},
      at(0, 1024),
      at(4096, 1025),
      at(65536, large),
      at(65536 + large, 4097),
      at(65536 * 2 + large, large),
    ]);
    expect((await readFile(`${path}.data`)).length).toBe(65536 * 2 + 2 * large);
  });

  it("refuse bytes of another size than the shape has", async () => {
    const g = new GraphBuilder("test");
    g.initializer({ name: "w", dtype: "int64", shape: [2], load: async () => new Uint8Array(15) });
    await expect(writeModel(join(folder, "size.onnx"), g.build())).rejects.toThrow(
      "w: want 16 bytes, got 15",
    );
  });

  it("name the data file that is cut short", async () => {
    const path = join(folder, "cut.onnx");
    await writeModel(path, graphOf([5000]));
    await truncate(`${path}.data`, 4999);
    const { initializers } = await readModel(path);
    await expect(initializers.get("w0")!.load()).rejects.toThrow(
      `${path}.data: want 5000 bytes at 0, got 4999: the file is cut short`,
    );
  });

  it("name the data file that is missing", async () => {
    const path = join(folder, "gone.onnx");
    await writeModel(path, graphOf([5000]));
    await rm(`${path}.data`);
    const { initializers } = await readModel(path);
    await expect(initializers.get("w0")!.load()).rejects.toMatchObject({
      code: "model",
      message: `${path}.data: want the weights of a graph, got no such file`,
    });
  });

  it("name the file that is no graph", async () => {
    const path = join(folder, "text.onnx");
    await writeFile(path, "no protobuf, only text");
    await expect(readModel(path)).rejects.toMatchObject({
      code: "model",
      message: expect.stringContaining(path),
    });
  });
});

describe("external data", () => {
  const encode = (stored: StoredData, size = 4) =>
    encodeModel(graphOf([size]), new Map([["w0", stored]]));

  it("may lie beyond 2 and 4 GiB", async () => {
    for (const offset of [2 ** 31, 2 ** 32 + 65536, 2 ** 40]) {
      const stored = { location: "far.data", offset, length: 3e9 };
      const bytes = encode(stored, 3e9);
      const { externalData } = onnxProto.onnx.ModelProto.decode(bytes).graph!.initializer![0]!;
      expect(externalData!.map(({ value }) => value)).toEqual([
        "far.data",
        `${offset}`,
        "3000000000",
      ]);
      let asked: StoredData | undefined;
      const { initializers } = decodeModel(bytes, async (where) => {
        asked = where;
        return new Uint8Array();
      });
      await initializers.get("w0")!.load();
      expect(asked).toEqual(stored);
      expect(initializers.get("w0")!.shape).toEqual([3e9]);
    }
  });

  it.each([
    { location: "../secrets", offset: 0, length: 4 },
    { location: "/etc/passwd", offset: 0, length: 4 },
    { location: "..", offset: 0, length: 4 },
    { location: "a\0b", offset: 0, length: 4 },
    { location: "x".repeat(100_000), offset: 0, length: 4 },
    { location: "data", offset: -1, length: 4 },
    { location: "data", offset: 0.5, length: 4 },
    { location: "data", offset: NaN, length: 4 },
  ])("refuses $location at $offset", (stored) => {
    expect(() => decodeModel(encode(stored), async () => new Uint8Array())).toThrow(
      /^onnx: initializer w0: want a file beside the graph, an offset and a length, got .{1,300}$/,
    );
  });

  it("refuses a length that is not that of the shape", () => {
    const bytes = encode({ location: "data", offset: 0, length: 1e15 });
    expect(() => decodeModel(bytes, async () => new Uint8Array())).toThrow(
      "onnx: initializer w0: want 4 bytes for uint8 [4], got 1000000000000000",
    );
  });
});
