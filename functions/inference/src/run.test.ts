import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, it } from "vitest";
import { readEnvironment } from "./environment.ts";
import { runEndpoint } from "./run.ts";

const nano = fileURLToPath(new URL("../../../models/nano/converted", import.meta.url));
const site = await mkdtemp(join(tmpdir(), "site-"));
await writeFile(join(site, "index.html"), "the page");
afterAll(() => rm(site, { recursive: true }));

/** What a site beside the endpoint has for pages that run models, and at another address. */
async function askSite(keys: string, offersModels?: boolean): Promise<[string, string]> {
  const environment = readEnvironment({
    PORT: "0",
    TINYGPTV_STORE: "memory",
    TINYGPTV_LOG_LEVEL: "silent",
    TINYGPTV_MODELS: nano,
    TINYGPTV_KEYS: keys,
  });
  let answers: Promise<[string, string]> | undefined;
  await runEndpoint(environment, {
    site,
    ...(offersModels !== undefined && { offersModels }),
    onListening(url) {
      const textOf = async (path: string) => (await fetch(url + path)).text();
      answers = Promise.all([textOf("/models/index.json"), textOf("/anything")]);
      void answers.finally(() => process.emit("SIGTERM"));
    },
  });
  return answers!;
}

it(
  "gives a site's pages the models that it serves, where no key guards them or it is told to",
  { timeout: 120_000 },
  async () => {
    const key = "a-key-of-this-test";
    expect(await askSite("")).toEqual(['["nano"]', "the page"]);
    expect(await askSite(key)).toEqual(["[]", "the page"]);
    expect(await askSite(key, true)).toEqual(['["nano"]', "the page"]);
    await mkdir(join(site, "models"));
    await writeFile(join(site, "models/index.json"), '["its own"]');
    expect(await askSite("")).toEqual(['["its own"]', "the page"]);
  },
);
