/** What the build puts out, as the platforms read it; that it runs is the contract's to show. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import { filesIn, readOutput, runBuild } from "../../deploy/src/testing/output.ts";
import wrangler from "../wrangler.json" with { type: "json" };
import { build } from "./runtimes.ts";

it("is for Vercel one file that answers every path, and no static files", async () => {
  const { folder, route, statics } = await readOutput(join(await build(), ".vercel/output"));
  expect([route("/"), route("/v1/models"), route("/src/app.ts"), statics]).toEqual([
    "function",
    "function",
    "function",
    [],
  ]);
  expect(await filesIn(folder)).toEqual([".vc-config.json", "index.js"]);
});

it("has the built playground beside it where that is wanted", async () => {
  const out = await mkdtemp(join(tmpdir(), "edge-"));
  onTestFinished(() => rm(out, { recursive: true }));
  const site = fileURLToPath(new URL("../../../apps/playground/build/site", import.meta.url));
  await runBuild(new URL("../build.ts", import.meta.url), "--site", site, "--out", out);
  const { route, statics } = await readOutput(join(out, ".vercel/output"));
  const page = await readFile(join(out, ".vercel/output/static/index.html"), "utf8");
  const [script] = /\/_app\/immutable\/[\w./-]+\.js/.exec(page)!;
  expect(["/", "/s/any", script, "/service-worker.js", "/v1/models"].map(route)).toEqual([
    "/index.html",
    "/index.html",
    script,
    "/service-worker.js",
    "function",
  ]);
  expect(statics.filter((name) => /\.(br|gz)$/.test(name))).toEqual([]);
});

it("is for workerd the one file that wrangler.json names, importing nothing", async () => {
  const out = await build();
  expect(await filesIn(join(out, "dist"))).toEqual(["worker.js"]);
  expect(await readFile(join(out, wrangler.main), "utf8")).not.toMatch(/^import |require\(/m);
});
