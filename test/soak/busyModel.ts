/**
 * A program, FOLDER LEVEL: one prompt of nearly the whole context and seven short
 * ones at once. Prints the bytes that the process had after its first
 * answer, the most it came to have, and what was planned for.
 */
import { readManifest } from "../../lib/model/src/readManifest.ts";
import { memoryPlan } from "../../lib/runtime/src/engine/memoryPlan.ts";
import { openModel } from "../../lib/runtime/src/engine/openModel.ts";
import { bytesPerPosition } from "../../lib/runtime/src/session/kvCache.ts";

const [folder, level] = process.argv.slice(2) as [string, string];
const manifest = await readManifest(folder);
/** One whole context and eight short answers. */
const { phi } = manifest.config;
const cacheBytes = (phi.contextLength + 8 * 256) * bytesPerPosition(phi);
const model = await openModel(folder, { level, prepacked: false, cacheBytes });

/** @returns positions of prompt and answer */
async function ask(words: number, tokens: number, client: string): Promise<number> {
  const decoding = { maxNewTokens: tokens, minNewTokens: tokens };
  const rounds = [{ prompt: Array.from({ length: words }, () => "one").join(" ") }];
  let positions = 0;
  for await (const event of model.generate({ rounds, decoding }, [], { client }))
    if (event.type === "end") positions = event.usage.promptTokens + event.usage.completionTokens;
  return positions;
}

await ask(8, 2, "first");
const before = process.memoryUsage.rss();
const lengths = await Promise.all([
  ask(1900, 20, "long"),
  ...Array.from({ length: 7 }, (_, i) => ask(30 + i, 20, `short ${i}`)),
]);
const longest = Math.max(...lengths);
const peak = process.resourceUsage().maxRSS * 1024;
const said = model.info.memoryBytes;
await model.close();
const plan = memoryPlan(manifest, level, { cacheBytes });
console.log(JSON.stringify({ before, peak, said, longest, plan }));
