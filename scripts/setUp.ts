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
  const checkpoint = "models/nano/checkpoint";
  const converted = "models/nano/converted";
  const build = {
    name: "nano",
    inputs: [checkpoint, "lib"],
    output: `${converted}/manifest.json`,
  };
  await whenChanged(build, () =>
    step("Converting the nano model", () =>
      mustRun("node", [
        "apps/cli/src/main.ts",
        "convert",
        "--from",
        checkpoint,
        "--out",
        converted,
        "--name",
        "nano",
        "--dtype",
        "fp32,int8,int4",
        "--force",
      ]),
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

export async function buildPlayground(): Promise<void> {
  const folder = "apps/playground";
  const build = {
    name: "playground",
    inputs: [folder, "lib", "pnpm-lock.yaml"],
    output: `${folder}/build/site/index.html`,
  };
  await whenChanged(build, () =>
    step("Building the playground", () =>
      mustRun("pnpm", ["--dir", folder, "run", "build"], { output: "keep" }),
    ),
  );
}

/** Lets SvelteKit write the types and the compiler settings that the playground's own extend. */
export async function syncPlayground(): Promise<void> {
  await mustRun("pnpm", ["--dir", "apps/playground", "exec", "svelte-kit", "sync"]);
}
