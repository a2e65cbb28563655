import adapter from "@sveltejs/adapter-node";
import { sveltekit } from "@sveltejs/kit/vite";
import { defineConfig } from "vite";

const endpoint = process.env.TINYGPTV_ENDPOINT ?? "http://127.0.0.1:3000";

export default defineConfig({
  plugins: [sveltekit({ adapter: adapter(), compilerOptions: { runes: true } })],
  build: { target: "es2023" },
  // `vite dev` serves the pages only; the endpoint runs beside it.
  server: {
    proxy: { "/v1": { target: endpoint, changeOrigin: true, headers: { origin: endpoint } } },
  },
});
