import { writeFile } from "node:fs/promises";
import { mustRun, step } from "./step.ts";
import { whenChanged } from "./whenChanged.ts";

/** Installs the packages of the lock file: half a minute the first time, then no time. */
export async function installPackages(): Promise<void> {
  await step("Installing packages", () =>
    mustRun("pnpm", ["install", "--frozen-lockfile", "--loglevel=warn"], {
      // Its install script fetches CUDA libraries; the CPU provider is in the package.
      env: { ONNXRUNTIME_NODE_INSTALL: "skip" },
    }),
  );
}

/** Converts the embedded nano model. */
export async function convertNano(): Promise<void> {
  await convert("nano", "models/nano/converted", "fp32,int8,int4");
}

/** @param levels the first one is the default */
async function convert(name: string, converted: string, levels: string): Promise<void> {
  const checkpoint = "models/nano/checkpoint";
  const build = { name, inputs: [checkpoint, "lib"], output: `${converted}/manifest.json` };
  const args = ["--from", checkpoint, "--out", converted, "--name", "nano", "--level", levels];
  await whenChanged(build, () =>
    step(`Converting the model ${name}`, () =>
      mustRun("node", ["apps/cli/src/main.ts", "convert", ...args, "--force"]),
    ),
  );
}

/** Builds the packages that others may install, and checks what they offer. */
export async function buildPackages(): Promise<void> {
  const build = {
    name: "packages",
    inputs: ["lib", "functions/inference", "apps/cli", "tsdown.config.ts", "pnpm-lock.yaml"],
    output: "apps/cli/dist/main.js",
  };
  await whenChanged(build, () =>
    step("Building the packages", () => mustRun("pnpm", ["run", "build"], { output: "keep" })),
  );
}

/** The playground as a server of files has it. */
const site = "apps/playground/build/site";

export async function buildPlayground(): Promise<void> {
  const folder = "apps/playground";
  const build = {
    name: "playground",
    inputs: [folder, "lib", "pnpm-lock.yaml"],
    output: `${site}/index.html`,
  };
  await whenChanged(build, () =>
    step("Building the playground", () =>
      mustRun("pnpm", ["--dir", folder, "run", "build"], { output: "keep" }),
    ),
  );
}

/**
 * Puts the nano model beside the playground's pages, for browsers that run it themselves.
 * @returns the folder of the site
 */
export async function placeNano(): Promise<string> {
  await convert("nano-page", `${site}/models/nano`, "page,int4,fp32");
  await writeFile(`${site}/models/index.json`, JSON.stringify(["nano"]));
  return site;
}

/** Lets SvelteKit write the types and the compiler settings that the playground's own extend. */
export async function syncPlayground(): Promise<void> {
  await mustRun("pnpm", ["--dir", "apps/playground", "exec", "svelte-kit", "sync"]);
}
