import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import configuration from "../.dependency-cruiser.mjs";

const root = join(import.meta.dirname, "..");

/** Importing file, imported file or package, and the rule that must refuse it. */
const refused = [
  ["lib/src/tensor/a.ts", "lib/src/image/b.ts", "layer-tensor"],
  ["lib/src/image/a.ts", "lib/src/text/b.ts", "layer-image"],
  ["lib/src/text/a.ts", "lib/src/decoding/b.ts", "layer-text"],
  ["lib/src/checkpoint/a.ts", "lib/src/graph/b.ts", "layer-checkpoint"],
  ["lib/src/graph/a.ts", "lib/src/models/b.ts", "layer-graph"],
  ["lib/src/models/a.ts", "lib/src/convert/b.ts", "layer-models"],
  ["lib/src/quantize/a.ts", "lib/src/models/b.ts", "layer-quantize"],
  ["lib/src/calibrate/a.ts", "lib/src/convert/b.ts", "layer-calibrate"],
  ["lib/src/convert/a.ts", "lib/src/session/b.ts", "layer-convert"],
  ["lib/src/session/a.ts", "lib/src/graph/b.ts", "layer-session"],
  ["lib/src/decoding/a.ts", "lib/src/session/b.ts", "layer-decoding"],
  ["lib/src/model.ts", "lib/src/engine/b.ts", "layer-model"],
  ["lib/src/pipeline.ts", "lib/src/engine/b.ts", "layer-pipeline"],
  ["lib/src/pipeline.ts", "lib/src/checkpoint/b.ts", "layer-pipeline"],
  ["lib/src/engine/a.ts", "lib/src/convert/b.ts", "layer-engine"],
  ["lib/src/evaluate/a.ts", "lib/src/quantize/b.ts", "layer-evaluate"],
  ["lib/src/http/a.ts", "lib/src/engine/b.ts", "layer-http"],
  ["lib/src/notebook/a.ts", "lib/src/session/b.ts", "layer-notebook"],
  ["lib/src/graph/c.ts", "lib/src/graph/d.ts", "no-circles"],
  ["lib/src/session/a.ts", "onnxruntime-node", "one-door-to-onnxruntime"],
  ["lib/src/protocol.ts", "lib/src/errors.ts", "protocol-needs-zod-only"],
  ["lib/src/index.ts", "functions/inference/src/b.ts", "lib-stands-alone"],
  ["functions/inference/src/a.ts", "apps/cli/src/b.ts", "functions-stand-below-apps"],
  ["functions/inference/src/a.ts", "lib/src/session/b.ts", "lib-by-its-exports"],
  ["apps/cli/src/a.ts", "lib/src/checkpoint/b.ts", "lib-by-its-exports"],
  ["functions/edge/src/a.ts", "lib/src/index.ts", "edge-is-portable"],
  ["functions/edge/src/a.ts", "node:fs", "portable-needs-no-node"],
  ["lib/src/http/a.ts", "node:path", "portable-needs-no-node"],
  ["apps/playground/src/routes/+page.ts", "lib/src/index.ts", "playground-pages-are-portable"],
  ["apps/playground/src/routes/+page.ts", "node:os", "portable-needs-no-node"],
  ["lib/src/index.ts", "lib/src/engine/testing/b.ts", "no-test-code-in-the-product"],
] as const;

const allowed = [
  ["lib/src/graph/d.ts", "lib/src/graph/c.ts"], // the other half of the circle above
  ["lib/src/index.ts", "lib/src/pipeline.ts"],
  ["lib/src/pipeline.ts", "lib/src/session/b.ts"],
  ["lib/src/convert/a.ts", "lib/src/manifest.ts"],
  ["lib/src/protocol.ts", "zod"],
  ["lib/src/session/runtime.ts", "onnxruntime-node"],
  ["lib/src/image/a.test.ts", "lib/src/checkpoint/b.ts"],
  ["functions/inference/src/a.ts", "lib/src/index.ts"],
  ["functions/edge/src/a.ts", "lib/src/protocol.ts"],
  ["apps/playground/src/routes/+page.ts", "lib/src/http/index.ts"],
  ["apps/playground/src/routes/+page.ts", "lib/src/engine/engine.ts"],
  ["lib/src/model.ts", "lib/src/engine/engine.ts"],
  ["apps/playground/src/hooks.server.ts", "functions/inference/src/b.ts"],
  ["apps/playground/src/hooks.server.ts", "node:fs"],
] as const;

/** A tree of files that import just that, and what the rules say of it. */
function violations(kind: "import" | "import type"): string[] {
  const folder = mkdtempSync(join(tmpdir(), "imports-"));
  const texts = new Map<string, string>();
  const append = (file: string, text: string) => texts.set(file, (texts.get(file) ?? "") + text);
  for (const [from, to] of [...refused, ...allowed]) {
    const isFile = to.endsWith(".ts");
    if (isFile) append(to, "");
    const specifier = isFile ? `./${relative(dirname(from), to)}` : to;
    append(from, `${kind} * as x${texts.get(from)?.length ?? 0} from "${specifier}";\n`);
  }
  for (const [file, text] of texts) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
  const config = join(root, ".dependency-cruiser.mjs");
  const command = ["--config", config, "--output-type", "json", "lib", "functions", "apps"];
  const output = execFileSync(join(root, "node_modules/.bin/depcruise"), command, {
    cwd: folder,
    maxBuffer: 2 ** 26,
  });
  rmSync(folder, { recursive: true });
  const { summary } = JSON.parse(output.toString()) as {
    summary: { violations: { from: string; to: string; rule: { name: string } }[] };
  };
  return summary.violations.map(({ from, to, rule }) => `${from} > ${to}: ${rule.name}`);
}

test("each rule is tried", () => {
  const names = configuration.forbidden.map(({ name }) => name);
  expect(new Set(refused.map(([, , rule]) => rule as string))).toEqual(new Set(names));
});

describe.each(["import", "import type"] as const)("%s", (kind) => {
  let found: string[];

  beforeAll(() => {
    found = violations(kind);
  });

  test.each(refused)("%s > %s is refused by %s", (from, to, rule) => {
    expect(found).toContain(`${from} > ${to.replace("node:", "")}: ${rule}`);
  });

  test("nothing else is refused", () => {
    expect(found).toHaveLength(refused.length);
  });
});
