import { TinyGptvError } from "@tinygptv/protocol";
import { configSchema, type EdgeConfig } from "./config.ts";

const json = (text: string): unknown => JSON.parse(text);
const list = (text: string) =>
  text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");

/** Variable -> field of the configuration, and how its text is read. */
const variables: Readonly<Record<string, readonly [keyof EdgeConfig, (text: string) => unknown]>> =
  {
    EDGE_KEYS: ["keys", json],
    EDGE_ORIGINS: ["origins", json],
    EDGE_CORS_ORIGINS: ["corsOrigins", list],
    EDGE_REQUESTS_PER_MINUTE: ["requestsPerMinute", Number],
    EDGE_BURST: ["burst", Number],
    EDGE_BODY_BYTES: ["bodyBytes", Number],
    EDGE_HELD_BYTES: ["heldBytes", Number],
    EDGE_CACHE_SECONDS: ["cacheSeconds", Number],
    EDGE_CACHE_BYTES: ["cacheBytes", Number],
    EDGE_ORIGIN_TIMEOUT_MS: ["originTimeoutMs", Number],
    EDGE_HEALTH_INTERVAL_MS: ["healthIntervalMs", Number],
    EDGE_READY_TIMEOUT_MS: ["readyTimeoutMs", Number],
  };

export const variableNames = Object.keys(variables);

const reject = (name: string, problem: string) =>
  new TinyGptvError("parameter", `${name}: ${problem}`, { subject: name });

/**
 * Reads the configuration from Worker bindings or process variables. Errors
 * (code "parameter") name the variable and never show its value: some are secret.
 */
export function readBindings(env: Readonly<Record<string, unknown>>): EdgeConfig {
  const config: Record<string, unknown> = {};
  for (const [name, text] of Object.entries(env)) {
    if (typeof text !== "string" || !name.startsWith("EDGE_")) continue;
    const variable = variables[name];
    if (!variable) throw reject(name, `want one of ${variableNames.join(", ")}`);
    const [field, read] = variable;
    try {
      config[field] = read(text);
    } catch {
      throw reject(name, "want JSON, got text that does not parse");
    }
  }
  const parsed = configSchema.safeParse(config);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  const [field, ...inner] = path;
  const name = variableNames.find((key) => variables[key]?.[0] === field);
  throw reject([name ?? String(field), ...inner].join("."), message);
}
