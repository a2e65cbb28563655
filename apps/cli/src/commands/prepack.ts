import { Command } from "commander";
import { interruptible } from "../terminal/interrupt.ts";
import { formatBytes, printJson, printLine, table } from "../terminal/output.ts";
import { createProgress } from "../terminal/progress.ts";
import { levelList, levelOption } from "./options.ts";

interface PrepackFlags {
  level?: string[];
  json?: boolean;
}

/** `tinygptv prepack` */
export function prepackCommand(): Command {
  const command = new Command("prepack")
    .summary("copies of a model for this machine, which load quicker")
    .description(
      "Makes copies of a model's large graphs as ONNX Runtime keeps them in memory on this machine, as convert and quantize do: for a folder that was made on another one. They take about twice the space of the graphs, in the folder .prepacked.",
    )
    .argument("<model>", "model folder")
    .option("--json", "print the result as JSON")
    .action(prepackModel);
  const levels = "levels, separated by commas (the default one unless given)";
  return levelOption(command, ["<levels>", levels], levelList);
}

async function prepackModel(model: string, { level, json }: PrepackFlags): Promise<void> {
  const { prepack } = await import("tinygptv");
  const progress = createProgress();
  const copies = await interruptible((signal) =>
    prepack(model, {
      ...(level ? { levels: level } : {}),
      signal,
      onProgress: ({ graph, done, total }) => progress.update(`copying ${graph}`, done, total),
    }),
  ).finally(progress.clear);
  if (json) return printJson(copies);
  const words = { ready: "ready", missing: "missing", useless: "loads as well without" };
  const rows = copies.map(({ graph, state, bytes }) => [
    graph,
    words[state],
    bytes > 0 ? formatBytes(bytes) : "",
  ]);
  printLine(table(rows));
}
