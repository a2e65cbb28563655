import staticAdapter from "@sveltejs/adapter-static";
import { sveltekit } from "@sveltejs/kit/vite";
import { defineConfig } from "vite";

const endpoint = process.env.TINYGPTV_ENDPOINT ?? "http://127.0.0.1:3000";

/** Plain files, for any server. Every address has the same page: it finds out in the browser what it shows. */
const adapter = staticAdapter({ pages: "build/site", fallback: "index.html", precompress: true });

/**
 * Scripts are ours alone, and nobody frames the page. It may call any endpoint:
 * people connect it to theirs.
 */
const csp: NonNullable<Parameters<typeof sveltekit>[0]>["csp"] = {
  directives: {
    "default-src": ["self"],
    "script-src": ["self"],
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

export default defineConfig({
  plugins: [sveltekit({ adapter, csp, paths, compilerOptions: { runes: true } })],
  build: { target: "es2023" },
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
