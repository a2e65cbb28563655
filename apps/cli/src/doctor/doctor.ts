/** `tinygptv doctor`: what is wrong with this machine or deployment, and what to do about it. */
import { coloursFor, printJson, printLine, table } from "../terminal/output.ts";
import { exitCodes } from "../terminal/failure.ts";
import { checkEndpoint } from "./endpoint.ts";
import type { Check, Finding } from "./finding.ts";
import { checkNode } from "./node.ts";
import { checkRuntime } from "./runtime.ts";

export interface DoctorFlags {
  deep?: boolean;
  json?: boolean;
}

/** What is looked at once ONNX Runtime is loaded, in this order. */
function checksFor(models: readonly string[], { deep }: DoctorFlags): Check[] {
  return [
    async () => {
      const { checkGraphics } = await import("./graphics.ts");
      return checkGraphics();
    },
    checkEndpoint,
    ...models.map((folder) => async () => {
      const { checkModel } = await import("./model.ts");
      return checkModel(folder, { deep });
    }),
  ];
}

export async function doctor(models: string[], flags: DoctorFlags): Promise<void> {
  const findings = [...(await checkNode()), ...(await checkRuntime())];
  // Without ONNX Runtime no other part of ours loads.
  if (findings.every(({ state }) => state === "ok"))
    for (const check of checksFor(models.length > 0 ? models : modelsOfEnvironment(), flags))
      findings.push(...(await check()));
  if (flags.json) for (const finding of findings) printJson(finding);
  else show(findings);
  if (findings.some(({ state }) => state === "fix")) process.exitCode = exitCodes.failure;
}

/** Folders that an endpoint here would serve; those from a store are pulled first, and checked then. */
function modelsOfEnvironment(): string[] {
  const folders = (process.env["TINYGPTV_MODELS"] ?? "").split(",").map((name) => name.trim());
  return folders.filter((name) => name !== "" && !name.startsWith("store:"));
}

function show(findings: readonly Finding[]): void {
  const { green, yellow, red } = coloursFor(process.stdout);
  const colours = { ok: green, optional: yellow, fix: red };
  const lines = table(findings.map(({ state, subject, text }) => [state, subject, text]));
  lines.split("\n").forEach((line, i) => {
    const { state } = findings[i]!;
    printLine(colours[state](state) + line.slice(state.length));
  });
}
