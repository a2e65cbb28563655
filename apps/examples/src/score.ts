/** Which of some answers the model thinks most likely: scored, not generated. */
import { readFile } from "node:fs/promises";
import { openModel } from "tinygptv";

const [folder = "models/nano/converted", picture = "models/nano/gallery/apple.png"] =
  process.argv.slice(2);

const model = await openModel(folder);
const candidates = ["an apple", "a dog", "a car"];
const { ranks, candidates: scored } = await model.score(
  { rounds: [{ prompt: "What do you see?" }], candidates },
  [await readFile(picture)],
);
for (const index of ranks)
  console.log(`${scored[index]!.meanLogprob.toFixed(3)}  ${candidates[index]!}`);
await model.close();
