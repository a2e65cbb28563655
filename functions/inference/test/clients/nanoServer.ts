/** A real server with a real model, and a picture that it knows. */
import { readFile } from "node:fs/promises";
import OpenAI from "openai";
import { dataUrl } from "../../src/testing/pictures.ts";
import { createNanoEngine, nanoPath } from "../nano.ts";
import { testServer } from "../testServer.ts";

export const apiKey = "a-key-for-tests";
export const dog = await readFile(nanoPath("gallery/dog.png"));
export const picture = dataUrl(dog);
export const question = "What do you see?";
/** As the gallery has it; JSON is beyond what nano was trained for, so only its form counts. */
export const expected = "I see a dog on a green background.";
export const shape = {
  type: "object" as const,
  properties: {
    animal: { type: "string" as const, maxLength: 12 },
    legs: { type: "integer" as const, minimum: 0, maximum: 8 },
  },
  required: ["animal", "legs"],
  additionalProperties: false,
};

export interface NanoServer {
  readonly baseURL: string;
  /** Id of its first level. */
  readonly model: string;
  /** Answers under way. */
  running(): number;
  close(): Promise<void>;
}

export async function openNanoServer(): Promise<NanoServer> {
  const engine = createNanoEngine();
  const server = await testServer(engine, { config: { keys: [apiKey] } });
  const [first] = await engine.models();
  return {
    baseURL: `${server.url}/v1`,
    model: first!.id,
    running: () => engine.status().running,
    async close() {
      await server[Symbol.asyncDispose]();
      await engine.close();
    },
  };
}

export const openai = ({ baseURL }: NanoServer, key = apiKey): OpenAI =>
  new OpenAI({ baseURL, apiKey: key, maxRetries: 0 });

/** The question, as the `openai` package asks it. */
export const openaiRequest = ({ model }: NanoServer) => ({
  model,
  messages: [
    {
      role: "user" as const,
      content: [
        { type: "text" as const, text: question },
        { type: "image_url" as const, image_url: { url: picture } },
      ],
    },
  ],
});
