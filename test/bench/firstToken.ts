/** A program that loads a language model and chooses one token: FOLDER LEVEL THREADS COPIES ("no" for no pre-packed copies). */
import { join } from "node:path";
import { openGraph } from "../../lib/runtime/src/engine/openGraph.ts";
import { readManifest } from "../../lib/model/src/manifest.ts";
import { openEmbeddings } from "../../lib/runtime/src/session/embeddings.ts";
import { createLanguageModel } from "../../lib/runtime/src/session/languageModel.ts";
import { loadTokenizer } from "../../lib/model/src/tokenizer/tokenizer.ts";

const [folder, level, threads, copies] = process.argv.slice(2) as [string, string, string, string];
const manifest = await readManifest(folder);
const { phi } = manifest.config;
const session = await openGraph(folder, manifest, manifest.levels[level]!.phi, {
  threads: Number(threads),
  ...(copies === "no" ? { prepacked: false } : {}),
});
const { file, dtype } = manifest.embeddings;
const embeddings = openEmbeddings(join(folder, file), dtype, phi.vocabSize, phi.width);
const model = createLanguageModel(session, embeddings, phi);
const tokenizer = await loadTokenizer(join(folder, manifest.tokenizer));
const tokens = tokenizer.encode("###Human: What is the answer? ###Assistant:");
const sequence = model.create();
const [logits] = await model.forward([{ sequence, input: { tokens }, logits: "last" }]);
console.log(logits!.indexOf(Math.max(...logits!)));
