/**
 * Which part may import which (`pnpm run imports`). Types count as much as
 * values: who needs to know a shape depends on it.
 */

import libPackage from "./lib/package.json" with { type: "json" };

/**
 * The folders (or single files) of lib/src, and what each may import besides
 * itself and the files that all share. Arrows point down the page only.
 */
const layers = {
  tensor: [],
  image: ["tensor"],
  text: ["tensor"],
  // from checkpoint files to graph files
  checkpoint: ["tensor"],
  graph: ["tensor"],
  models: ["graph", "tensor"],
  quantize: ["graph", "tensor"],
  // how to quantize a layer is found by running it
  calibrate: ["graph", "quantize", "session", "tensor"],
  convert: ["calibrate", "checkpoint", "graph", "models", "quantize", "tensor"],
  // from graph files to answers
  decoding: ["tensor"],
  session: ["decoding", "image", "tensor"], // implements the sequences that decoding asks for; pictures to features
  model: [],
  pipeline: ["decoding", "image", "model", "session", "tensor", "text"],
  engine: ["decoding", "image", "model", "pipeline", "session", "tensor", "text"],
  // verify reads golden tensors and looks inside graphs
  evaluate: [
    "calibrate",
    "checkpoint",
    "decoding",
    "engine",
    "graph",
    "image",
    "model",
    "pipeline",
    "session",
    "tensor",
    "text",
  ],
  // what browser and server share
  http: [],
  notebook: ["decoding", "engine", "http", "image/format", "text/boxes"],
};

/** Files of lib/src that every layer may import; engine/engine.ts is an interface without code. */
const shared = "^lib/src/(errors|protocol|parse|config|manifest|version|engine/engine)\\.ts$";

/** What lib offers to others. */
const exported = Object.values(libPackage.exports).map((path) => path.replace("./", "^lib/"));

/** What runs in browsers and at the edge as well. */
const portable =
  "^lib/src/((errors|protocol|parse|engine/engine|image/format|text/boxes)\\.ts$|(http|notebook)/)";

const tests = "\\.test\\.ts$|(^|/)(test|testing)/";

/** @param {string[]} names */
const anyLayer = (names) => `^lib/src/(${names.join("|")})(/|\\.ts$)`;

const directions = Object.entries(layers).map(([layer, allowed]) => ({
  name: `layer-${layer}`,
  severity: "error",
  from: { path: anyLayer([layer]), pathNot: tests },
  to: { path: "^lib/src/", pathNot: [anyLayer([layer, ...allowed]), shared] },
}));

export default {
  forbidden: [
    ...directions,
    {
      name: "no-circles",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "one-door-to-onnxruntime",
      comment: "What else would know its types could not be tested without it.",
      severity: "error",
      from: { pathNot: "^lib/src/session/runtime\\.ts$" },
      to: { path: "(^|/)onnxruntime-" },
    },
    {
      name: "protocol-needs-zod-only",
      severity: "error",
      from: { path: "^lib/src/protocol\\.ts$" },
      to: { pathNot: "(^|/)zod(/|$)" },
    },
    {
      name: "lib-stands-alone",
      severity: "error",
      from: { path: "^lib/", pathNot: tests },
      to: { path: "^(apps|functions|scripts|test)/" },
    },
    {
      name: "functions-stand-below-apps",
      severity: "error",
      from: { path: "^functions/", pathNot: tests },
      to: { path: "^(apps|scripts|test)/" },
    },
    {
      name: "lib-by-its-exports",
      severity: "error",
      from: { path: "^(apps|functions)/", pathNot: tests },
      to: {
        path: "^lib/src/",
        pathNot: exported,
      },
    },
    {
      name: "edge-is-portable",
      comment: "It runs where there is neither Node nor ONNX Runtime.",
      severity: "error",
      from: { path: "^functions/edge/src/", pathNot: tests },
      to: { path: "^(lib|functions/inference)/", pathNot: portable },
    },
    {
      name: "playground-pages-are-portable",
      comment: "Pages run in browsers; only the server part may know the endpoint and the engine.",
      severity: "error",
      from: {
        path: "^apps/playground/src/",
        pathNot: `${tests}|\\.server\\.|/server/|\\+server\\.`,
      },
      to: { path: "^(lib|functions)/", pathNot: portable },
    },
    {
      name: "portable-needs-no-node",
      severity: "error",
      from: {
        path: `${portable}|^functions/edge/src/|^apps/playground/src/`,
        pathNot: `${tests}|\\.server\\.|/server/|\\+server\\.`,
      },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "no-test-code-in-the-product",
      severity: "error",
      from: { path: "^(lib|functions|apps)/", pathNot: tests },
      to: { path: tests, pathNot: "node_modules" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "(^|/)(build|\\.svelte-kit)/|^test/fixtures/" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      conditionNames: ["import", "node", "default", "types"],
      exportsFields: ["exports"],
      extensions: [".ts", ".js", ".mjs", ".svelte", ".json"],
    },
  },
};
