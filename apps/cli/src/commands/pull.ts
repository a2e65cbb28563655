import { Command, InvalidArgumentError, Option } from "commander";
import { stages } from "../pull/stages.ts";
import type { PullFlags } from "../pull/pull.ts";

export function pullCommand(): Command {
  return new Command("pull")
    .summary("download the published checkpoints")
    .description(
      "Downloads the published checkpoints into one folder, ready for convert --from. Interrupted downloads are resumed. Large files are checked against the sizes and checksums they were published with (docs/cli.md); what --sha256 or a mirror's own SHA256SUMS says counts instead. What was computed is written to SHA256SUMS. HTTP_PROXY, HTTPS_PROXY and NO_PROXY are honoured.",
    )
    .addOption(new Option("--stage <n>", "training stage").choices(stages).default("4"))
    .option("--out <folder>", "folder to fill", "checkpoint")
    .option("--base-url <url>", "mirror with the same files, laid out as they are here", url)
    .option("--sha256 <file=hex>", "checksum to expect of a file; may be repeated", checksum)
    .option("--json", "print what was done as JSON")
    .action(async (flags: PullFlags) => {
      const { pull } = await import("../pull/pull.ts");
      await pull(flags);
    });
}

function url(text: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text;
  throw new InvalidArgumentError(`Want an http(s) URL, got ${text}.`);
}

function checksum(text: string, before: Record<string, string> = {}): Record<string, string> {
  const match = /^(.+)=([0-9a-f]{64})$/i.exec(text);
  if (match) return { ...before, [match[1]!]: match[2]!.toLowerCase() };
  throw new InvalidArgumentError(`Want file=sha256 with 64 hex digits, got ${text}.`);
}
