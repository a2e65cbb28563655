/** Two rounds about one picture, sampled, as they come; Ctrl-C ends the answer. */
import { readFile } from "node:fs/promises";
import { openModel } from "tinygptv";

const [folder = "models/nano/converted", picture = "models/nano/gallery/apple.png"] =
  process.argv.slice(2);

const interrupted = new AbortController();
process.once("SIGINT", () => interrupted.abort());

const model = await openModel(folder, { level: "int8" });
const image = await readFile(picture);
const rounds: { prompt: string; answer?: string; images?: number }[] = [];
for (const prompt of ["What do you see?", "What colour is it?"]) {
  rounds.push({ prompt, images: rounds.length === 0 ? 1 : 0 });
  const request = { rounds, decoding: { temperature: 0.6, topP: 0.9, seed: 7 } };
  let text = "";
  for await (const event of model.generate(request, [image], { signal: interrupted.signal }))
    if (event.type === "delta") {
      text += event.text;
      process.stdout.write(event.text);
    }
  process.stdout.write("\n");
  rounds[rounds.length - 1]!.answer = text;
}
await model.close();
