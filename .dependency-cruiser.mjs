/**
 * Which part may import which (`pnpm run imports`). Types count as much as
 * values: who needs to know a shape depends on it.
 */
import { builtinModules } from "node:module";

/** The packages of lib, and what each may import of the others. Arrows point up the page only. */
const packages = {
  protocol: [],
  notebook: ["protocol"],
  model: ["protocol"],
  transfer: ["protocol"],
  graph: ["model", "protocol"],
  network: ["graph", "model", "protocol"],
  convert: ["graph", "model", "network", "protocol"],
  runtime: ["graph", "model", "network", "protocol"],
  datasets: ["convert", "model", "protocol"],
  train: ["convert", "datasets", "graph", "model", "network", "protocol", "runtime"],
  evaluate: ["convert", "datasets", "graph", "model", "network", "protocol", "runtime", "train"],
};

/**
 * Folders (or single files) within a package, and which of their neighbours
 * each may import. Files beside them stand on top and may import all.
 */
const layers = {
  // The HTTP API stands on top: it says all of the others' words in its own.
  "protocol/src": {
    "(errors|version)": [],
    wanted: [],
    record: [],
    issues: ["errors", "wanted"],
    json: ["errors"],
    decoding: ["errors", "issues", "record"],
    request: ["decoding"],
    events: [],
    answer: ["errors", "events"],
  },
  "convert/src": {
    checkpoint: [],
    quantize: [],
    // how to quantize a layer is found by running it
    calibrate: ["quantize"],
  },
  "runtime/src": {
    pause: [],
    image: ["pause"],
    text: [],
    decoding: [],
    session: ["decoding", "image"], // implements the sequences that decoding asks for; pictures to features
    model: [],
    pipeline: ["decoding", "image", "model", "session", "text"],
    engine: ["decoding", "image", "model", "pause", "pipeline", "session", "text"],
  },
};

/** What a package offers: the exports of its package.json. */
const door =
  "^lib/(\\w+/src/index|protocol/src/http/index|(model|graph)/src/disk|graph/src/session|network/src/feeds|runtime/src/(parts|web|worker))\\.ts$";

const tests = "\\.test\\.ts$|(^|/)(test|testing)/";

/** @param {string[]} names */
const anyOf = (names) => `^lib/(${names.join("|")})/`;

const betweenPackages = Object.entries(packages).map(([name, allowed]) => ({
  name: `package-${name}`,
  severity: "error",
  from: { path: anyOf([name]), pathNot: tests },
  to: { path: "^lib/", pathNot: anyOf([name, ...allowed]) },
}));

const withinPackages = Object.entries(layers).flatMap(([root, folders]) =>
  Object.entries(folders).map(([layer, allowed]) => {
    /** @param {string[]} names */
    const any = (names) => `^lib/${root}/(${names.join("|")})(/|\\.ts$)`;
    return {
      name: `layer-${layer.replace(/\W.*|\(/g, "") || "errors"}`,
      severity: "error",
      from: { path: any([layer]), pathNot: tests },
      to: { path: `^lib/${root}/`, pathNot: any([layer, ...allowed]) },
    };
  }),
);

/** What comes with Node. */
const nodeModules = `^(node:)?(${builtinModules.join("|")})$`;

/** Runs in browsers and at the edge. */
const portable = {
  path: "^(lib/(protocol|notebook)|functions/edge)/src/",
  pathNot: tests,
};

export default {
  forbidden: [
    ...betweenPackages,
    ...withinPackages,
    {
      name: "no-circles",
      comment: "What is loaded later may need those who ask for it: nothing waits for itself.",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["dynamic-import"] } },
    },
    {
      name: "by-the-door",
      comment: "A package is imported by what it exports.",
      severity: "error",
      from: { path: "^(lib/[^/]+|functions/[^/]+|apps/[^/]+)/", pathNot: tests },
      to: { path: "^lib/", pathNot: ["^$1/", door] },
    },
    {
      name: "one-door-to-onnxruntime",
      comment:
        "What else would know its types could not be tested without it; what its bindings have in common is in ortSession.ts.",
      severity: "error",
      from: {
        pathNot:
          "^(lib/runtime/src/(session/(runtime|ortSession|device)|web/(ort|sessions|webgpu))|apps/playground/src/engine-worker/index)\\.ts$",
      },
      to: { path: "(^|/)onnxruntime-" },
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
      name: "portable-reaches-no-node",
      comment:
        "Pages and the edge have neither Node nor ONNX Runtime, however far away the import.",
      severity: "error",
      from: portable,
      to: {
        path: [
          nodeModules,
          "(^|/)(onnxruntime-|sharp(/|$))",
          anyOf([
            "model",
            "transfer",
            "graph",
            "network",
            "convert",
            "datasets",
            "runtime",
            "train",
            "evaluate",
          ]),
          "^functions/inference/",
        ],
        reachable: true,
      },
    },
    {
      name: "pages-reach-no-node",
      comment: "The engine in a page reaches the runtime, and no more of it than runs there.",
      severity: "error",
      from: {
        path: "^apps/playground/src/",
        pathNot: `${tests}|\\.server\\.|/server/|\\+server\\.`,
      },
      to: {
        path: [
          nodeModules,
          "(^|/)(onnxruntime-node|sharp)(/|$)",
          anyOf(["transfer", "convert", "datasets", "train", "evaluate"]),
          "^functions/inference/",
        ],
        reachable: true,
      },
    },
    {
      name: "answering-reaches-no-node",
      comment:
        "What puts a model together is handed files, pictures and sessions, and runs in pages too.",
      severity: "error",
      from: {
        path: "^lib/runtime/src/(web/|(web|worker|engine/assembleModel)\\.ts$)",
        pathNot: tests,
      },
      to: { path: [nodeModules, "(^|/)(onnxruntime-node|sharp)(/|$)"], reachable: true },
    },
    {
      name: "converting-needs-no-runtime",
      severity: "error",
      from: { path: "^lib/(convert|graph|model|network)/src/", pathNot: tests },
      to: { path: "(^|/)(onnxruntime-|sharp(/|$))", reachable: true },
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
    exclude: { path: "(^|/)(build|\\.svelte-kit)/|^(lib|apps)/[^/]+/dist/|^test/fixtures/" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      conditionNames: ["import", "node", "default", "types"],
      exportsFields: ["exports"],
      extensions: [".ts", ".js", ".mjs", ".svelte", ".json"],
    },
  },
};
