/** One question about one picture: `node apps/examples/src/ask.ts [MODEL FOLDER] [PICTURE]` */
import { readFile } from "node:fs/promises";
import { openModel } from "tinygptv";

const [folder = "models/nano/converted", picture = "models/nano/gallery/apple.png"] =
  process.argv.slice(2);

const model = await openModel(folder);
const answer = await model.answer("What do you see?", await readFile(picture));
console.log(answer.text);
await model.close();
