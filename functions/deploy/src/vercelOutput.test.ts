import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { filesIn, readOutput } from "./testing/output.ts";
import { writeVercelOutput } from "./vercelOutput.ts";

describe("writeVercelOutput", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "output-"));
  });
  afterEach(() => rm(folder, { recursive: true }));
  const config = { runtime: "edge", entrypoint: "index.js", envVarsInUse: [] };
  const write = (to: string) => writeFile(join(to, "index.js"), "export default 1;");

  async function site(): Promise<string> {
    const path = join(folder, "site");
    await mkdir(join(path, "_app/immutable"), { recursive: true });
    const names = ["index.html", "index.html.br", "icon.svg", "icon.svg.gz", "_app/immutable/a.js"];
    for (const name of names) await writeFile(join(path, name), name);
    return path;
  }

  it("leads every path to a function that stands alone", async () => {
    const output = join(folder, "output");
    expect(await writeVercelOutput(output, { config, write, site: undefined })).toBe(
      join(output, "functions/endpoint.func"),
    );
    const { route, statics } = await readOutput(output);
    expect(statics).toEqual([]);
    for (const path of ["/", "/v1/models", "/anything", "/endpoint"])
      expect(route(path)).toBe("function");
  });

  it("leads the API's paths to the function and all others to the site", async () => {
    const output = join(folder, "output");
    await writeVercelOutput(output, { config, write, site: await site() });
    const { route, statics } = await readOutput(output);
    // Vercel compresses by itself.
    expect(statics).toEqual(["_app/immutable/a.js", "icon.svg", "index.html"]);
    const answers = [
      ["/v1/chat/completions", "function"],
      ["/v1/images/img_1", "function"],
      ["/health", "function"],
      ["/docs", "function"],
      ["/docs/swagger-ui.css", "function"],
      ["/openapi.json", "function"],
      ["/icon.svg", "/icon.svg"],
      ["/_app/immutable/a.js", "/_app/immutable/a.js"],
      ["/", "/index.html"],
      ["/s/nb_1", "/index.html"],
      ["/healthy", "/index.html"],
      ["/openapiXjson", "/index.html"],
    ];
    for (const [path, answer] of answers) expect([path, route(path!)]).toEqual([path, answer]);
  });

  it("lets nobody frame the site's pages or guess at types; the function's headers are its own", async () => {
    const output = join(folder, "output");
    await writeVercelOutput(output, { config, write, site: await site() });
    const { headersAt } = await readOutput(output);
    for (const path of ["/", "/s/nb_1", "/icon.svg", "/_app/immutable/a.js"])
      expect(headersAt(path)).toMatchObject({
        "content-security-policy": "frame-ancestors 'none'",
        "x-frame-options": "DENY",
        "x-content-type-options": "nosniff",
      });
    expect(headersAt("/_app/immutable/a.js")).toHaveProperty("cache-control");
    expect(headersAt("/v1/models")).toEqual({});
  });

  it("refuses a site without a page", async () => {
    await expect(
      writeVercelOutput(join(folder, "output"), { config, write, site: folder }),
    ).rejects.toThrow("want a folder with index.html");
  });

  it("leaves what was there where building fails", async () => {
    const output = join(folder, "output");
    await writeVercelOutput(output, { config, write, site: undefined });
    const before = await filesIn(output);
    const failing = () => Promise.reject(new Error("does not build"));
    await expect(
      writeVercelOutput(output, { config, write: failing, site: undefined }),
    ).rejects.toThrow("does not build");
    expect(await filesIn(output)).toEqual(before);
  });
});
