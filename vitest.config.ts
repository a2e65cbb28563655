import { configDefaults, defineConfig } from "vitest/config";

/** Unit tests sit beside the code they test. */
const unitTests = (name: string, folder: string) => ({
  extends: true as const,
  test: { name, include: [`${folder}/**/*.test.ts`] },
});

export default defineConfig({
  test: {
    // ONNX Runtime and sharp are native; a process for each file keeps their crashes apart.
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
        test: { name: "playground", include: ["src/**/*.test.ts"] },
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
