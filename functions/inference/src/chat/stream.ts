import type { GenerateEvent } from "@tinygptv/protocol";
import { createChatStreamWriter } from "@tinygptv/protocol/http";
import type { ChatPlan, Identity, SseEvent } from "@tinygptv/protocol/http";
import { interleave } from "../interleave.ts";

/** A chat's events as it streams; `[DONE]` comes only after a complete answer. */
export async function* streamChat(
  runs: readonly AsyncIterable<GenerateEvent>[],
  plan: ChatPlan,
  identity: Identity,
): AsyncGenerator<SseEvent> {
  const writer = createChatStreamWriter(plan, identity);
  for await (const { source, item } of interleave(runs)) yield* writer.write(source, item);
  yield* writer.end();
}
