/** The edge function inside real edge runtimes, built and set up as it is deployed. */
import { rmSync } from "node:fs";
import { mkdtemp, readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { EdgeRuntime } from "edge-runtime";
import { Miniflare } from "miniflare";
import { rolldown } from "rolldown";
import { readOutput, runBuild } from "../../deploy/src/testing/output.ts";
import wrangler from "../wrangler.json" with { type: "json" };

export interface RunningEdge {
  url: string;
  close(): Promise<void>;
}

/** Starts the edge function with these variables. */
export type StartEdge = (variables: Record<string, string>) => Promise<RunningEdge>;

/**
 * What the build puts out, in a folder of its own: nothing of the workspace is
 * above it. It stays until the process ends.
 */
export const build = memoize(async (): Promise<string> => {
  const out = await mkdtemp(join(tmpdir(), "edge-"));
  process.once("exit", () => rmSync(out, { recursive: true }));
  await runBuild(new URL("../build.ts", import.meta.url), "--out", out);
  return out;
});

function memoize<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

/** The edge function as a Worker; it shares its rate limits in a KV namespace. */
export async function workerOptions() {
  return {
    modules: true,
    script: await readFile(join(await build(), wrangler.main), "utf8"),
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
  const { folder, config } = await readOutput(join(await build(), ".vercel/output"));
  if (config.runtime !== "edge") throw new Error(`want an edge function, got ${config.runtime}`);
  // The package runs scripts only; the platform takes the module as it is.
  const module = await rolldown({ input: join(folder, config.entrypoint) });
  const { output } = await module.generate({ format: "iife", name: "edge", exports: "named" });
  return async (variables) => {
    const named = Object.entries(variables).filter(([name]) => config.envVarsInUse.includes(name));
    const runtime = new EdgeRuntime({
      initialCode: `${output[0].code}
        addEventListener("fetch", (event) => event.respondWith(edge.default(event.request, event)));`,
      extend: (context) => Object.assign(context, { process: { env: Object.fromEntries(named) } }),
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
