import { configDefaults, defineConfig } from "vitest/config";

/** Tests of files that they stand beside. Those of what a process does once (`*.alone.test.ts`) have one each. */
const alone = "**/*.alone.test.ts";
const unitTests = (name: string, folder: string) => ({
  extends: true as const,
  test: {
    name,
    include: [`${folder}/**/*.test.ts`],
    exclude: [...configDefaults.exclude, alone],
    // Starting a process and loading what a file imports takes longer than most of them.
    isolate: false,
  },
});

export default defineConfig({
  test: {
    // ONNX Runtime and sharp are native; a process for each file that runs models keeps their crashes apart.
    pool: "forks",
    // Each may hold a model and run it on all cores.
    maxWorkers: 2,
    // Generous: a loaded machine must not fail a test. What hangs still ends.
    testTimeout: 30_000,
    hookTimeout: 120_000,
    // What a passing test writes is of no interest.
    silent: "passed-only",
    projects: [
      unitTests("lib", "lib"),
      unitTests("functions", "functions"),
      unitTests("cli", "apps/cli"),
      unitTests("scripts", "scripts"),
      { extends: true, test: { name: "alone", include: [alone] } },
      {
        extends: true,
        test: {
          name: "test",
          include: ["test/**/*.test.ts"],
          exclude: [...configDefaults.exclude, "test/e2e/**", "test/processors/**"],
        },
      },
      {
        extends: "./apps/playground/vite.config.ts",
        root: "./apps/playground",
        test: { name: "playground", include: ["src/**/*.test.ts"], isolate: false, maxWorkers: 2 },
      },
      {
        extends: true,
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts", "apps/playground/test/e2e/**/*.test.ts"],
          testTimeout: 60_000,
          expect: { poll: { timeout: 10_000 } },
        },
      },
    ],
  },
});
