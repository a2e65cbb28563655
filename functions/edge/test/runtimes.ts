/** The edge function inside real edge runtimes, bundled and set up as it is deployed. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { EdgeRuntime } from "edge-runtime";
import { build } from "esbuild";
import { Miniflare } from "miniflare";
import wrangler from "../wrangler.json" with { type: "json" };

export interface RunningEdge {
  url: string;
  close(): Promise<void>;
}

/** Starts the edge function with these variables. */
export type StartEdge = (variables: Record<string, string>) => Promise<RunningEdge>;

async function bundle(source: string, globalName?: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(`../${source}`, import.meta.url))],
    bundle: true,
    write: false,
    format: globalName ? "iife" : "esm",
    globalName,
    conditions: ["workerd", "worker", "browser"],
    platform: "neutral",
    mainFields: ["module", "main"],
  });
  return outputFiles[0]!.text;
}

/** The edge function as a Worker; it shares its rate limits in a KV namespace. */
export async function workerOptions() {
  return {
    modules: true,
    script: await bundle(wrangler.main),
    compatibilityDate: wrangler.compatibility_date,
    compatibilityFlags: wrangler.compatibility_flags,
    kvNamespaces: ["LIMITS"],
  };
}

/** Cloudflare's runtime. */
export async function workerd(): Promise<StartEdge> {
  const options = await workerOptions();
  return async (variables) => {
    const miniflare = new Miniflare({ ...options, bindings: variables });
    const url = await miniflare.ready;
    return { url: url.origin, close: () => miniflare.dispose() };
  };
}

/**
 * Vercel's runtime. Its package brings an HTTP server, which ends a response
 * that breaks as if it were complete; this one breaks it off.
 */
export async function vercel(): Promise<StartEdge> {
  const script = await bundle("api/index.ts", "edge");
  return async (variables) => {
    const runtime = new EdgeRuntime({
      initialCode: `${script}
        addEventListener("fetch", (event) => event.respondWith(edge.default(event.request, event)));`,
      extend: (context) => Object.assign(context, { process: { env: variables } }),
    });
    const server = createServer((request, response) => {
      answerBy(runtime, request, response).catch(() => response.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      async close() {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      },
    };
  };
}

async function answerBy(
  runtime: EdgeRuntime,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const client: AbortController = runtime.evaluate("new AbortController()");
  response.once("close", () => response.writableFinished || client.abort());
  const answer = await runtime.dispatchFetch(`http://${request.headers.host}${request.url}`, {
    method: request.method,
    headers: Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
    body: hasBody(request) ? Readable.toWeb(request) : undefined,
    duplex: "half",
    signal: client.signal,
  });
  response.writeHead(answer.status, [...answer.headers].flat());
  if (answer.body) await pipeline(Readable.fromWeb(answer.body as ReadableStream), response);
  else response.end();
}

const hasBody = ({ method }: IncomingMessage) => method !== "GET" && method !== "HEAD";
