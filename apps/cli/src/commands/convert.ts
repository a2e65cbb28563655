import { Command } from "commander";
import type { SourcePaths } from "@tinygptv/convert";
import { usageError } from "../terminal/failure.ts";
import { interruptible } from "../terminal/interrupt.ts";
import { formatBytes, formatSeconds, note, printJson } from "../terminal/output.ts";
import { createProgress } from "../terminal/progress.ts";
import { levelList, levelOption, wholeNumber } from "./options.ts";

interface ConvertFlags extends Partial<SourcePaths> {
  from?: string;
  out: string;
  config?: string;
  level: string[];
  imageSize?: number;
  name?: string;
  force?: boolean;
  allowUnknown?: boolean;
  copies: boolean;
  json?: boolean;
}

export function convertCommand(): Command {
  const command = new Command("convert")
    .summary("published checkpoints to a model folder")
    .description(
      "Converts published checkpoints to ONNX graphs in a model folder. Streams: needs under 3 GB of memory for the full model.",
    )
    .option("--from <folder>", "folder with the published files and perhaps a model.json")
    .option("--phi <folder>", "language model")
    .option("--vision <file>", "eva_vit_g.pth")
    .option("--qformer <file>", "blip2_pretrained_flant5xxl.pth")
    .option("--checkpoint <file>", "TinyGPT-V_for_StageN.pth")
    .requiredOption("--out <folder>", "model folder to make")
    .option("--config <file>", "what the weights do not tell, where it differs from the published")
    .option("--image-size <pixels>", "side of the picture the model sees", wholeNumber(1))
    .option("--name <name>", "name of the model")
    .option("--force", "replace what is at --out")
    .option("--allow-unknown", "go on where files have keys of unknown meaning")
    .option("--no-copies", "make no copies for this machine: the model is meant for another one")
    .option("--json", "print the result as JSON")
    .action(convert);
  const levels =
    "levels to write, separated by commas, the default one first (docs/quantization.md)";
  return levelOption(command, ["<levels>", levels], levelList, { ifNone: ["fp32"] });
}

async function convert(flags: ConvertFlags): Promise<void> {
  // Loaded late: other commands start without the converter.
  const converter = await import("@tinygptv/convert");
  const { openSession } = await import("tinygptv");
  const { copiedOf, describeCopies, makeCopies } = await import("../write/makeCopies.ts");
  const { showPlan } = await import("../write/showPlan.ts");
  const copied = flags.copies ? copiedOf(flags.level) : [];
  const { paths, settings } = await findSources(converter, flags);
  const config = flags.config ?? settings;
  const progress = createProgress();
  const start = performance.now();
  const manifest = await interruptible((signal) =>
    converter.convert(
      {
        sources: paths,
        out: flags.out,
        openSession,
        levels: flags.level,
        replace: flags.force ?? false,
        allowUnknown: flags.allowUnknown ?? false,
        ...(config === undefined ? {} : { settings: config }),
        ...(flags.name === undefined ? {} : { name: flags.name }),
        ...(flags.imageSize === undefined ? {} : { imageSize: flags.imageSize }),
      },
      {
        onPlan: (plan) => {
          if (!flags.json) showPlan(plan, copied);
        },
        onProgress: ({ activity, component, done, total }) =>
          progress.update(`${activity} ${component}`, done, total),
        signal,
      },
    ),
  ).finally(progress.clear);
  const seconds = (performance.now() - start) / 1000;
  const bytes = manifest.files.reduce((sum, file) => sum + file.bytes, 0);
  const levels = Object.keys(manifest.levels);
  const { name } = manifest;
  if (!flags.json)
    note(`${name} (${levels.join(", ")}): ${formatBytes(bytes)} in ${formatSeconds(seconds)}`);
  const copies = await interruptible((signal) =>
    makeCopies(flags.out, copied, { progress, signal }),
  );
  if (flags.json) {
    printJson({ out: flags.out, name, levels, bytes, seconds, copies });
    return;
  }
  const said = describeCopies(copies);
  if (said !== undefined) note(said);
  note(`Try it: tinygptv ask ${flags.out} picture.png --prompt "What do you see?"`);
}

const roles = ["phi", "vision", "qformer", "checkpoint"] as const satisfies (keyof SourcePaths)[];

async function findSources(
  converter: typeof import("@tinygptv/convert"),
  flags: ConvertFlags,
): Promise<{ paths: SourcePaths; settings: string | undefined }> {
  const { from, phi, vision, qformer, checkpoint } = flags;
  if (from !== undefined) return converter.findSources(from, { phi, vision, qformer, checkpoint });
  if (phi && vision && qformer && checkpoint) {
    return { paths: { phi, vision, qformer, checkpoint }, settings: undefined };
  }
  const missing = roles.filter((role) => !flags[role]).map((role) => `--${role}`);
  throw usageError(`sources: want --from, or all four files, got none for ${missing.join(", ")}`);
}
