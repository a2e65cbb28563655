/**
 * Endpoint and built pages over an engine without a model. A question that
 * contains a number is answered by that many tokens, two milliseconds each.
 */
import { fileURLToPath } from "node:url";
import { createActivity } from "../../../../functions/inference/src/activity.ts";
import { createApp } from "../../../../functions/inference/src/app.ts";
import { withPages } from "../../../../functions/inference/src/pages.ts";
import { startServer } from "../../../../functions/inference/src/serve.ts";
import { memoryStore } from "../../../../functions/inference/src/store/memoryStore.ts";
import { createFakeEngine } from "../../../../functions/inference/src/testing/fakeEngine.ts";

const words = "a small brown dog runs over the green field behind an old wooden house, ";
const tokenBytes = 5;
const engine = createFakeEngine({
  answer: ({ rounds }) => {
    const length = Number(/\d+/.exec(rounds.at(-1)?.prompt ?? "")?.[0] ?? 20);
    return words.repeat(length).slice(0, length * tokenBytes);
  },
  tokenMs: 2,
  tokenBytes,
});
const activity = createActivity();
const app = createApp({ engine, activity, store: memoryStore({ maxBytes: 1e8 }) });
const { url } = await startServer({
  app: withPages(app, fileURLToPath(new URL("../../build/site", import.meta.url))),
  activity,
  host: "127.0.0.1",
  port: Number(process.env["PORT"]),
  hasKeys: false,
});
process.stdout.write(`${JSON.stringify({ msg: "listening", url })}\n`);
