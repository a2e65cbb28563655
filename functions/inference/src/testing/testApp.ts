import { createApp } from "../app.ts";
import type { AppOptions } from "../app.ts";
import { memoryStore } from "../store/memoryStore.ts";
import { createFakeEngine } from "./fakeEngine.ts";
import type { FakeEngine } from "./fakeEngine.ts";

export interface TestApp {
  engine: FakeEngine;
  app: ReturnType<typeof createApp>;
  /** Posts JSON; the caller reads the response. */
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>;
}

export function testApp(options: Partial<AppOptions> & { engine?: FakeEngine } = {}): TestApp {
  const engine = options.engine ?? createFakeEngine();
  const app = createApp({ store: memoryStore({ maxBytes: 1e6 }), ...options, engine });
  return {
    engine,
    app,
    post: async (path, body, headers = {}) =>
      app.request(path, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify(body),
      }),
  };
}

/** The events of a whole SSE response. */
export async function readEvents(
  response: Response,
): Promise<{ event: string | undefined; data: string }[]> {
  const text = await response.text();
  return text
    .split("\n\n")
    .filter((block) => block !== "")
    .map((block) => ({
      event: /^event: (.*)$/m.exec(block)?.[1],
      data: /^data: (.*)$/m.exec(block)?.[1] ?? "",
    }));
}
