/** The exact request behind an answer, for people to take along. */
import type { GenerateRequest } from "@tinygptv/protocol";
import { toChatRequest } from "@tinygptv/protocol/http";

export interface RequestSource {
  request: GenerateRequest;
  model: string | undefined;
  /** Hashes of the pictures, in order; they are at the endpoint already. */
  pictures: readonly string[];
  baseUrl: string;
}

/** Never the key itself: code is copied into places keys should not be. */
const keyName = "TINYGPTV_API_KEY";

const openaiFields = new Set([
  "model",
  "messages",
  "max_tokens",
  "temperature",
  "top_p",
  "seed",
  "stop",
  "presence_penalty",
  "frequency_penalty",
  "logit_bias",
  "logprobs",
  "top_logprobs",
  "response_format",
  "stream",
  "stream_options",
]);

function body({ request, model, pictures }: RequestSource): Record<string, unknown> {
  return {
    ...toChatRequest(
      request,
      pictures.map((hash) => `img_${hash}`),
      model,
    ),
  };
}

export function curl(source: RequestSource): string {
  const json = JSON.stringify(body(source), null, 2).replaceAll("'", String.raw`'\''`);
  return [
    `curl -N ${source.baseUrl}/v1/chat/completions \\`,
    `  -H "Authorization: Bearer $${keyName}" \\`,
    `  -H "Content-Type: application/json" \\`,
    `  -d '${json}'`,
  ].join("\n");
}

export function typescript(source: RequestSource): string {
  const json = JSON.stringify(body(source), null, 2);
  return `import OpenAI from "openai";

const client = new OpenAI({
  baseURL: "${source.baseUrl}/v1",
  apiKey: process.env.${keyName} ?? "none",
});
// Fields beyond OpenAI's are passed through as they are.
const body = ${json};
const stream = await client.chat.completions.create(
  body as unknown as OpenAI.ChatCompletionCreateParamsStreaming,
);
for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta.content ?? "");
`;
}

export function python(source: RequestSource): string {
  const all = Object.entries(body(source));
  const own = all
    .filter(([key]) => openaiFields.has(key))
    .map(([key, value]) => `    ${key}=${literal(value)},`);
  const extra = Object.fromEntries(all.filter(([key]) => !openaiFields.has(key)));
  if (Object.keys(extra).length > 0) own.push(`    extra_body=${literal(extra)},`);
  return `import os
from openai import OpenAI

client = OpenAI(base_url="${source.baseUrl}/v1", api_key=os.environ.get("${keyName}", "none"))
stream = client.chat.completions.create(
${own.join("\n")}
)
for chunk in stream:
    if chunk.choices:
        print(chunk.choices[0].delta.content or "", end="")
`;
}

/** JSON as Python writes it. */
function literal(value: unknown): string {
  if (value === true) return "True";
  if (value === false) return "False";
  if (value === null) return "None";
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  if (typeof value === "object")
    return `{${Object.entries(value)
      .map(([key, part]) => `${JSON.stringify(key)}: ${literal(part)}`)
      .join(", ")}}`;
  return JSON.stringify(value);
}
