/** A program that loads a language model and chooses one token: FOLDER LEVEL THREADS COPIES ("no" for no pre-packed copies). */
import { readManifest } from "../../lib/model/src/readManifest.ts";
import { openParts } from "../../lib/runtime/src/engine/openParts.ts";
import { graphsOf } from "../../lib/runtime/src/engine/parts.ts";

const [folder, level, threads, copies] = process.argv.slice(2) as [string, string, string, string];
const manifest = await readManifest(folder);
const files = graphsOf(manifest, level);
const { languageModel: model, tokenizer } = await openParts(
  { folder, manifest, files },
  ["languageModel", "tokenizer"],
  { threads: Number(threads), ...(copies === "no" ? { prepacked: false } : {}) },
);
const tokens = tokenizer.encode("###Human: What is the answer? ###Assistant:");
const sequence = model.create();
const [logits] = await model.forward([{ sequence, input: { tokens }, logits: "last" }]);
console.log(logits!.indexOf(Math.max(...logits!)));
