import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import configuration from "../.dependency-cruiser.mjs";

const root = join(import.meta.dirname, "..");

/** Importing file, imported file or package, and the rule that must refuse it. */
const refused = [
  ["lib/protocol/src/a.ts", "lib/model/src/index.ts", "package-protocol"],
  ["lib/notebook/src/a.ts", "lib/model/src/index.ts", "package-notebook"],
  ["lib/model/src/a.ts", "lib/graph/src/index.ts", "package-model"],
  ["lib/transfer/src/a.ts", "lib/notebook/src/index.ts", "package-transfer"],
  ["lib/graph/src/a.ts", "lib/notebook/src/index.ts", "package-graph"],
  ["lib/network/src/a.ts", "lib/convert/src/index.ts", "package-network"],
  ["lib/convert/src/a.ts", "lib/runtime/src/index.ts", "package-convert"],
  ["lib/runtime/src/session/a.ts", "lib/convert/src/index.ts", "package-runtime"],
  ["lib/datasets/src/a.ts", "lib/runtime/src/index.ts", "package-datasets"],
  ["lib/train/src/a.ts", "lib/evaluate/src/index.ts", "package-train"],
  ["lib/evaluate/src/a.ts", "lib/notebook/src/index.ts", "package-evaluate"],
  ["lib/protocol/src/errors.ts", "lib/protocol/src/engine.ts", "layer-errors"],
  ["lib/protocol/src/wanted.ts", "lib/protocol/src/http/a.ts", "layer-wanted"],
  ["lib/protocol/src/record.ts", "lib/protocol/src/http/a.ts", "layer-record"],
  ["lib/protocol/src/issues.ts", "lib/protocol/src/http/a.ts", "layer-issues"],
  ["lib/protocol/src/json/a.ts", "lib/protocol/src/http/a.ts", "layer-json"],
  ["lib/protocol/src/decoding/a.ts", "lib/protocol/src/http/a.ts", "layer-decoding"],
  ["lib/protocol/src/request.ts", "lib/protocol/src/http/a.ts", "layer-request"],
  ["lib/protocol/src/events.ts", "lib/protocol/src/http/a.ts", "layer-events"],
  ["lib/protocol/src/answer.ts", "lib/protocol/src/http/a.ts", "layer-answer"],
  ["lib/convert/src/checkpoint/a.ts", "lib/convert/src/catalog.ts", "layer-checkpoint"],
  ["lib/convert/src/quantize/a.ts", "lib/convert/src/convert.ts", "layer-quantize"],
  ["lib/convert/src/calibrate/a.ts", "lib/convert/src/convert.ts", "layer-calibrate"],
  ["lib/runtime/src/image/a.ts", "lib/runtime/src/text/b.ts", "layer-image"],
  ["lib/runtime/src/pause.ts", "lib/runtime/src/engine/b.ts", "layer-pause"],
  ["lib/runtime/src/text/a.ts", "lib/runtime/src/decoding/b.ts", "layer-text"],
  ["lib/runtime/src/decoding/a.ts", "lib/runtime/src/session/b.ts", "layer-decoding"],
  ["lib/runtime/src/session/a.ts", "lib/runtime/src/text/b.ts", "layer-session"],
  ["lib/runtime/src/model.ts", "lib/runtime/src/engine/b.ts", "layer-model"],
  ["lib/runtime/src/pipeline.ts", "lib/runtime/src/engine/b.ts", "layer-pipeline"],
  ["lib/runtime/src/engine/a.ts", "lib/runtime/src/index.ts", "layer-engine"],
  ["lib/graph/src/c.ts", "lib/graph/src/d.ts", "no-circles"],
  ["apps/cli/src/a.ts", "lib/runtime/src/session/b.ts", "by-the-door"],
  ["lib/evaluate/src/a.ts", "lib/runtime/src/session/b.ts", "by-the-door"],
  ["lib/runtime/src/session/a.ts", "onnxruntime-node", "one-door-to-onnxruntime"],
  ["lib/runtime/src/index.ts", "functions/inference/src/b.ts", "lib-stands-alone"],
  ["functions/inference/src/a.ts", "apps/cli/src/b.ts", "functions-stand-below-apps"],
  ["functions/edge/src/a.ts", "node:path", "portable-reaches-no-node"],
  ["apps/playground/src/lib/a.ts", "node:path", "pages-reach-no-node"],
  ["lib/notebook/src/near.ts", "node:fs", "portable-reaches-no-node"],
  ["lib/graph/src/e.ts", "sharp", "converting-needs-no-runtime"],
  ["lib/runtime/src/engine/assembleModel.ts", "sharp", "answering-reaches-no-node"],
  ["lib/runtime/src/web/a.ts", "node:fs", "answering-reaches-no-node"],
  [
    "lib/runtime/src/index.ts",
    "lib/runtime/src/engine/testing/b.ts",
    "no-test-code-in-the-product",
  ],
] as const;

/** What is found of the imports above and below besides, however many files lie between. */
const reached = [
  ["lib/notebook/src/far.ts", "node:fs", "portable-reaches-no-node"],
  ["lib/protocol/src/a.ts", "lib/model/src/index.ts", "portable-reaches-no-node"],
  ["lib/notebook/src/a.ts", "lib/model/src/index.ts", "portable-reaches-no-node"],
] as const;

const allowed = [
  ["lib/notebook/src/far.ts", "lib/notebook/src/near.ts"], // itself; what lies behind is above
  ["lib/graph/src/d.ts", "lib/graph/src/c.ts"], // the other half of the circle above
  ["lib/runtime/src/index.ts", "lib/runtime/src/pipeline.ts"],
  ["lib/runtime/src/pipeline.ts", "lib/runtime/src/session/b.ts"],
  ["lib/convert/src/a.ts", "lib/model/src/index.ts"],
  ["lib/runtime/src/session/runtime.ts", "onnxruntime-node"],
  ["lib/runtime/src/image/a.test.ts", "lib/convert/src/checkpoint/b.ts"],
  ["functions/inference/src/a.ts", "lib/runtime/src/index.ts"],
  ["functions/edge/src/a.ts", "lib/protocol/src/index.ts"],
  ["apps/playground/src/routes/+page.ts", "lib/protocol/src/http/index.ts"],
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

  test.each([...refused, ...reached])("%s > %s is refused by %s", (from, to, rule) => {
    expect(found).toContain(`${from} > ${to.replace("node:", "")}: ${rule}`);
  });

  test("nothing else is refused", () => {
    expect(found).toHaveLength(refused.length + reached.length);
  });
});
