/** What the build puts out, as the platforms read it; that it runs is the contract's to show. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { filesIn, readOutput } from "../../deploy/src/testing/output.ts";
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

it("is for workerd the one file that wrangler.json names, importing nothing", async () => {
  const out = await build();
  expect(await filesIn(join(out, "dist"))).toEqual(["worker.js"]);
  expect(await readFile(join(out, wrangler.main), "utf8")).not.toMatch(/^import |require\(/m);
});
