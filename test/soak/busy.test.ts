/** What a level is said to take is what it takes, at full width and with more callers than places. `pnpm soak` runs it. */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import type { MemoryPlan } from "../../lib/runtime/src/engine/memoryPlan.ts";
import { writeRandomModel } from "../bench/randomModel.ts";

it.runIf(process.env.MODE === "long")(
  "one long prompt and seven short ones stay within the plan",
  { timeout: 600_000 },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "tinygptv-busy-"));
    try {
      await writeRandomModel(join(folder, "model"), { layers: 2, blocks: 1 }, ["int4"]);
      const program = fileURLToPath(new URL("./busyModel.ts", import.meta.url));
      const { stdout } = await promisify(execFile)(process.execPath, [
        program,
        join(folder, "model"),
        "int4",
      ]);
      const { before, peak, said, longest, plan } = JSON.parse(stdout) as Record<
        "before" | "peak" | "said" | "longest",
        number
      > & { plan: MemoryPlan };
      expect(longest).toBeGreaterThan(1900);
      expect(peak).toBeLessThan(said);
      // No picture is looked at, and weights and the process itself were there before.
      expect(peak - before).toBeLessThan(plan.cache + plan.pass);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
);
