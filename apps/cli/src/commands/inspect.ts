import { Command } from "commander";
import type { InspectedWeights, Inspection } from "@tinygptv/convert";
import { coloursFor, formatBytes, printJson, printLine, table } from "../terminal/output.ts";

export function inspectCommand(): Command {
  return new Command("inspect")
    .summary("what a checkpoint holds, and what a conversion lacks")
    .description(
      "Shows the tensors of a checkpoint, the layout they are in and what is missing for a conversion; or the dimensions and files of a converted model. Reads names and shapes only.",
    )
    .argument(
      "<path>",
      "checkpoint file, language-model folder, folder of published files, model folder",
    )
    .option("--json", "print everything as JSON")
    .action(async (path: string, { json }: { json?: boolean }) => {
      const { inspect } = await import("@tinygptv/convert");
      const inspection = await inspect(path);
      if (json) printJson(inspection);
      else show(inspection);
    });
}

function show(inspection: Inspection): void {
  switch (inspection.kind) {
    case "model":
      return showModel(inspection);
    case "weights":
      showTensors(inspection.weights);
      showWeights([inspection.weights]);
      return printLine(`for a conversion also needed: ${inspection.missing.join(", ")}`);
    case "checkpoint":
      return showCheckpoint(inspection);
  }
}

function showTensors({ tensors }: InspectedWeights): void {
  printLine(table(tensors.map(({ name, dtype, shape }) => [name, dtype, `[${shape.join(",")}]`])));
  printLine("");
}

function showWeights(all: readonly InspectedWeights[]): void {
  const rows = all.map(({ path, what, layout, tensors, bytes }) => [
    path,
    layout === undefined ? what : `${what}, layout ${layout}`,
    `${tensors.length} tensors`,
    formatBytes(bytes),
  ]);
  printLine(table(rows));
}

function showCheckpoint(inspection: Extract<Inspection, { kind: "checkpoint" }>): void {
  const { green, red } = coloursFor(process.stdout);
  const { weights, missing, config, problem } = inspection;
  showWeights(weights);
  if (missing.length > 0) printLine(`missing: ${missing.join(", ")}`);
  if (config) printLine(green(`can be converted: ${describe(config)}`));
  else printLine(red(`cannot be converted: ${problem}`));
}

function showModel({ manifest }: Extract<Inspection, { kind: "model" }>): void {
  printLine(`${manifest.name} (${manifest.weights} weights), made by ${manifest.createdBy}`);
  printLine(describe(manifest.config));
  printLine(
    `levels: ${Object.keys(manifest.levels).join(", ")} (default ${manifest.defaultLevel})`,
  );
  const rows = manifest.files.map(({ path, bytes, sha256 }) => [path, formatBytes(bytes), sha256]);
  printLine(table(rows));
}

type ModelConfig = Extract<Inspection, { kind: "model" }>["manifest"]["config"];

function describe({ vision, qformer, phi }: ModelConfig): string {
  return [
    `pictures of ${vision.imageSize} pixels`,
    `${vision.depth} vision blocks of ${vision.width}`,
    `${qformer.numQueryTokens} queries`,
    `${phi.numLayers} language-model layers of ${phi.width}`,
    `${phi.vocabSize} tokens`,
  ].join(", ");
}
