import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** Apart from all others: emulated processors take minutes, and want packages of Debian. */
export default defineConfig({
  test: {
    root: fileURLToPath(new URL("../..", import.meta.url)),
    include: ["test/processors/**/*.test.ts"],
    pool: "forks",
    hookTimeout: 120_000,
    // Names every processor, those too that could not be tried.
    reporters: ["verbose"],
  },
});
