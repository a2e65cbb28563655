/** Drafts in whole answers: off, on, and the same. */
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { openModel } from "../../lib/runtime/src/engine/openModel.ts";
import type { GenerateEvent } from "../../lib/protocol/src/index.ts";

const nano = fileURLToPath(new URL("../../models/nano/converted", import.meta.url));

async function answer(promptLookup: boolean) {
  const model = await openModel(nano, { level: "fp32", promptLookup });
  const events: GenerateEvent[] = [];
  const prompt = "one two three one two three one two three one two";
  const decoding = { maxNewTokens: 40, minNewTokens: 40, logprobs: true };
  for await (const event of model.generate({ rounds: [{ prompt }], decoding }, []))
    events.push(event);
  await model.close();
  return events;
}

it("gives the same answer with drafts and without, token by token", async () => {
  const ids = (events: GenerateEvent[]) =>
    events.flatMap((event) => (event.type === "token" ? [event.token.id] : []));
  const logprobs = (events: GenerateEvent[]) =>
    events.flatMap((event) => (event.type === "token" ? [event.token.logprob!] : []));
  const [plain, drafted] = [await answer(false), await answer(true)];
  expect(ids(plain)).toHaveLength(40);
  expect(ids(drafted)).toEqual(ids(plain));
  logprobs(drafted).forEach((value, i) => expect(value).toBeCloseTo(logprobs(plain)[i]!, 4));
  // Several positions in one pass round otherwise than one: this is how drafts show that they ran.
  expect(logprobs(drafted)).not.toEqual(logprobs(plain));
});
