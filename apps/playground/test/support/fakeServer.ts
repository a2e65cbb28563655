/**
 * Endpoint and built pages over an engine without a model. A question that
 * contains a number is answered by that many tokens, two milliseconds each.
 */
import { createActivity } from "../../../../functions/inference/src/activity.ts";
import { createApp } from "../../../../functions/inference/src/app.ts";
import { startServer } from "../../../../functions/inference/src/serve.ts";
import { memoryStore } from "../../../../functions/inference/src/store/memoryStore.ts";
import { createFakeEngine } from "../../../../functions/inference/src/testing/fakeEngine.ts";
import { withPages, type PageHandler } from "../../server/app.ts";

/** Written by the build, hence not known to the compiler. */
const built: string = new URL("../../build/handler.js", import.meta.url).href;
const { handler } = (await import(built)) as { handler: PageHandler };

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
  app: withPages(app, handler),
  activity,
  host: "127.0.0.1",
  port: Number(process.env["PORT"]),
  hasKeys: false,
});
process.stdout.write(`${JSON.stringify({ msg: "listening", url })}\n`);
