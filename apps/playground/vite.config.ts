import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import staticAdapter from "@sveltejs/adapter-static";
import type { Adapter } from "@sveltejs/kit";
import { sveltekit } from "@sveltejs/kit/vite";
import { defineConfig } from "vite";
import { compressFiles } from "./compress.ts";

const endpoint = process.env.TINYGPTV_ENDPOINT ?? "http://127.0.0.1:3000";

/** Plain files, for any server. Every address has the same page: it finds out in the browser what it shows. */
const pages = "build/site";
const files = staticAdapter({ pages });
const adapter: Adapter = {
  ...files,
  async adapt(builder) {
    await files.adapt(builder);
    await compressFiles(pages);
  },
};

/** Hashes of the scripts that stand in the page itself; SvelteKit adds its own. */
const inPage = Array.from(
  readFileSync(new URL("src/app.html", import.meta.url), "utf8").matchAll(
    /<script>([^]*?)<\/script>/g,
  ),
  ([, script = ""]) => `sha256-${createHash("sha256").update(script).digest("base64")}` as const,
);

/**
 * Scripts are ours alone (ONNX Runtime is WebAssembly), and nobody frames the page. It may call any endpoint:
 * people connect it to theirs.
 */
const csp: NonNullable<Parameters<typeof sveltekit>[0]>["csp"] = {
  directives: {
    "default-src": ["self"],
    "script-src": ["self", "wasm-unsafe-eval", ...inPage],
    "style-src": ["self", "unsafe-inline"],
    "font-src": ["self", "data:"],
    "img-src": ["self", "data:", "blob:"],
    "connect-src": ["self", "http:", "https:", "data:", "blob:"],
    "worker-src": ["self", "blob:"],
    "object-src": ["none"],
    "base-uri": ["self"],
    "frame-ancestors": ["none"],
  },
};

/** From the root: the page that the service worker keeps is shown at every address. */
const paths = { relative: false };

/** What the page looks like comes with it: it is seen after one round trip. */
const inlineStyleThreshold = Infinity;

export default defineConfig({
  plugins: [
    sveltekit({ adapter, csp, paths, inlineStyleThreshold, compilerOptions: { runes: true } }),
  ],
  build: { target: "es2023" },
  // The engine in this page: a module that loads others.
  worker: { format: "es" },
  // `vite dev` serves the pages only; the endpoint runs beside it.
  server: {
    proxy: Object.fromEntries(
      ["/v1", "/health"].map((path) => [
        path,
        { target: endpoint, changeOrigin: true, headers: { origin: endpoint } },
      ]),
    ),
  },
});
