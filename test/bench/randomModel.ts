/**
 * A converted model of the published dimensions whose levels are random from
 * the start: the graphs are those of the converter and its quantization passes,
 * but nothing is rounded, since speed and memory do not depend on what the weights are.
 */
import { readdir, writeFile } from "node:fs/promises";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildGraphs } from "../../lib/network/src/index.ts";
import { writeModelFolder } from "../../lib/convert/src/modelFolder.ts";
import type { Graph, Initializer } from "../../lib/graph/src/graph.ts";
import { writeModel } from "../../lib/graph/src/modelFile.ts";
import {
  components,
  formatVersion,
  type Component,
  type Manifest,
} from "../../lib/model/src/manifest.ts";
import type { Weights } from "../../lib/network/src/index.ts";
import { quantizeGraph } from "../../lib/convert/src/quantize/quantize.ts";
import {
  levels,
  recipeName,
  type LevelName,
  type Recipe,
} from "../../lib/convert/src/quantize/registry.ts";
import { elementCount } from "../../lib/model/src/tensor/dtype.ts";
import { toFloat16 } from "../../lib/model/src/tensor/half.ts";
import { publishedConfig, type Depth } from "./dimensions.ts";
import { createRandomData, type RandomData } from "./randomData.ts";

const tokenizerFolder = fileURLToPath(new URL("../fixtures/tokenizer/", import.meta.url));
/** Of a weight, as trained ones have it. */
const deviation = 0.02;

export async function writeRandomModel(
  out: string,
  depth: Depth,
  names: readonly LevelName[],
): Promise<Manifest> {
  const config = publishedConfig(depth);
  const random = createRandomData(7);
  const parameters = new Set<string>();
  const weights: Weights = (name, shape) => {
    parameters.add(name);
    return { name, shape, load: () => Promise.reject(new Error(`${name}: is never read`)) };
  };
  const graphs = buildGraphs(weights, config);
  return writeModelFolder(out, true, async (folder) => {
    const { vocabSize, width } = config.phi;
    const embeddings = "token-embeddings.bin";
    const rows = new Uint8Array(toFloat16(random.normal(vocabSize * width, 0, deviation)).buffer);
    const path = await folder.path(embeddings);
    await writeFile(path, rows);
    const sha256 = createHash("sha256").update(rows).digest("hex");
    folder.add([{ path, bytes: rows.byteLength, sha256 }]);
    for (const name of await readdir(tokenizerFolder))
      if (name !== "cases.json")
        await folder.copy(join(tokenizerFolder, name), `tokenizer/${name}`);

    const written = new Set<string>();
    for (const name of names)
      for (const component of components) {
        const recipe: Recipe = levels[name][component];
        const file = graphFile(component, recipe);
        if (written.has(file)) continue;
        written.add(file);
        const graph = randomize(quantizeGraph(graphs[component], recipe), parameters, random);
        folder.add(await writeModel(await folder.path(file), graph));
      }
    return {
      formatVersion,
      name: `random-${depth.layers}-layers`,
      weights: "random",
      createdBy: "test/bench",
      config,
      embeddings: { file: embeddings, dtype: "float16" },
      tokenizer: "tokenizer",
      defaultLevel: names[0]!,
      levels: Object.fromEntries(
        names.map((name) => [
          name,
          Object.fromEntries(
            components.map((component) => [
              component,
              graphFile(component, levels[name][component]),
            ]),
          ) as Record<Component, string>,
        ]),
      ),
      files: folder.files,
      sources: [],
    };
  });
}

const graphFile = (component: Component, recipe: Recipe) =>
  `${component}/${recipeName(recipe)}.onnx`;

/** Random contents for every parameter in whatever form a pass has given it; constants stay. */
function randomize(graph: Graph, parameters: ReadonlySet<string>, random: RandomData): Graph {
  const bits = new Map(
    graph.nodes.map(({ inputs, attributes }) => [inputs[2], Number(attributes.bits ?? 8)]),
  );
  const initializers = new Map<string, Initializer>();
  for (const [name, initializer] of graph.initializers) {
    const { dtype, shape } = initializer;
    const count = elementCount(shape);
    const contents = (): Uint8Array => {
      if (dtype === "uint8" || dtype === "int8") return random.bytes(count);
      if (dtype === "float16")
        return new Uint8Array(toFloat16(random.normal(count, 0, deviation)).buffer);
      if (name.endsWith(".scales")) {
        // Codes are uniform, so their deviation is the range over the root of 12.
        const scale = (deviation * Math.sqrt(12)) / 2 ** bits.get(name)!;
        return new Uint8Array(random.normal(count, scale, scale / 10).buffer);
      }
      const isNorm = /norm\w*\.weight$/i.test(name);
      return new Uint8Array(
        (isNorm ? random.normal(count, 1, 0.1) : random.normal(count, 0, deviation)).buffer,
      );
    };
    const parameter = name.replace(/\.(codes|scales)$/, "");
    const isRandom =
      parameters.has(name) ||
      parameter !== name ||
      (dtype === "float16" && [...parameters].some((one) => name.startsWith(one)));
    initializers.set(
      name,
      isRandom ? { ...initializer, load: async () => contents() } : initializer,
    );
  }
  return { ...graph, initializers };
}
