/** Requests to the model, many in a JSONL file. */
import { dirname, resolve } from "node:path";
import { readText, whatWasRead } from "@tinygptv/model/disk";
import { TinyGptvError, decodingNames, generateRequestSchema, parse } from "@tinygptv/protocol";
import type { GenerateRequest } from "@tinygptv/protocol";
import { resolveDecoding } from "tinygptv";

/** A line of the file. */
export interface AskRequest {
  request: GenerateRequest;
  /** Paths of the pictures, in the order of the prompt. */
  images: string[];
}

/** Fields of a line that go into the request as they are. */
const requestFields = ["task", "template", "imageMode"];
const decodingFields: readonly string[] = decodingNames;
const lineFields = ["image", "prompt", ...requestFields, ...decodingFields];

/**
 * Reads requests, one JSON object a line: `prompt`, `image` (a path relative to
 * the file, a list of them, or none), `task`, `template`, `imageMode` and any
 * decoding parameter, in camelCase or snake_case. Empty lines are passed over.
 * @throws TinyGptvError `parameter` naming line and key, before anything is asked.
 */
export async function readRequests(path: string): Promise<AskRequest[]> {
  const text = await readText(path).catch((cause: unknown) => {
    throw new TinyGptvError("io", `${path}: want a file of requests, got ${whatWasRead(cause)}`, {
      cause,
    });
  });
  return text.split("\n").flatMap((line, i) => {
    if (line.trim() === "") return [];
    try {
      return [parseLine(line, dirname(path))];
    } catch (error) {
      if (!(error instanceof TinyGptvError)) throw error;
      const { message, subject } = error;
      throw new TinyGptvError("parameter", `${path}, line ${i + 1}: ${message}`, {
        ...(subject === undefined ? {} : { subject }),
        cause: error,
      });
    }
  });
}

function parseLine(line: string, folder: string): AskRequest {
  const { image = [], prompt, ...fields } = withCamelCaseKeys(parseObject(line));
  const images = [image].flat();
  if (!images.every((one) => typeof one === "string")) {
    throw wrong("image", "a path or a list of paths", image);
  }
  if (typeof prompt !== "string") throw wrong("prompt", "a text", prompt);
  const decoding = pick(fields, decodingFields);
  resolveDecoding(decoding); // says more about what is wrong than the request's schema
  const given = {
    rounds: [{ prompt, images: images.length }],
    ...pick(fields, requestFields),
    decoding,
  };
  const request = parse(generateRequestSchema, given, "parameter");
  return { request, images: images.map((one) => resolve(folder, one)) };
}

function parseObject(line: string): object {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new TinyGptvError("parameter", "want a JSON object, got text that does not parse", {
      cause,
    });
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new TinyGptvError("parameter", `want a JSON object, got ${line.slice(0, 40)}`);
}

function withCamelCaseKeys(object: object): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(object)) {
    const name = key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    if (!lineFields.includes(name)) throw wrong(key, `one of ${lineFields.join(", ")}`, key);
    if (name in fields) throw wrong(key, "every field once", `${name} twice`);
    fields[name] = value;
  }
  return fields;
}

function pick(fields: Record<string, unknown>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => names.includes(name)));
}

function wrong(key: string, want: string, got: unknown): TinyGptvError {
  const shown = typeof got === "string" ? got : JSON.stringify(got);
  return new TinyGptvError("parameter", `${key}: want ${want}, got ${shown}`, { subject: key });
}
