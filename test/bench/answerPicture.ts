/** A program that answers about a picture with a whole model, FOLDER LEVEL THREADS, and prints the most memory it has taken. */
import { readFile } from "node:fs/promises";
import { openModel } from "../../lib/runtime/src/engine/openModel.ts";
import { madeUpPicture } from "./picture.ts";

const [folder, level, threads] = process.argv.slice(2) as [string, string, string];
const picture = await madeUpPicture();
const model = await openModel(folder, { level, threads: Number(threads) });
const rounds = [{ prompt: "What is in this picture?" }];
let tokens = 0;
for await (const event of model.generate(
  { rounds, decoding: { maxNewTokens: 16, minNewTokens: 16 } },
  [picture],
))
  if (event.type === "token") tokens++;
if (tokens !== 16) throw new Error(`want 16 tokens, got ${tokens}`);
const status = await readFile("/proc/self/status", "utf8");
console.log(1024 * Number(/^VmHWM:\s+(\d+)/m.exec(status)![1]));
await model.close();
