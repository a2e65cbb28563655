/**
 * Vercel Blob on loopback, as `@vercel/blob` 2.8 speaks to it (API version 12):
 * the API (`VERCEL_BLOB_API_URL`) for put, multipart put, head, list and delete,
 * and the blobs' own host, to which requests for `*.blob.vercel-storage.com`
 * are redirected. It holds requests to what the client's code and documentation
 * promise: conditions, tokens, private access, ordered pages, part sizes and
 * etags, ranges, and a CDN that goes on showing an old version unless it is
 * bypassed (`cache=0`).
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Agent, getGlobalDispatcher, setGlobalDispatcher } from "undici";
import { blobApi } from "./blobServerApi.ts";
import { blobHost } from "./blobServerHost.ts";
import { storeId, type BlobServer } from "./blobServerState.ts";

export type { BlobServer, Fault } from "./blobServerState.ts";

const blobDomain = ".blob.vercel-storage.com";

/** Starts the server and points this process's Blob client at it. */
export async function startBlobServer(): Promise<BlobServer> {
  const token = `vercel_blob_rw_${storeId}_secret`;
  const blobServer: BlobServer = {
    token,
    blobs: new Map(),
    requests: [],
    fault: () => undefined,
    close,
  };
  const api = blobApi(blobServer);
  const host = blobHost(blobServer);
  const server = createServer((request, response) => {
    const answer = request.headers["x-blob-host"] ? host : api;
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const restoreEnvironment = setEnvironment({
    VERCEL_BLOB_API_URL: origin,
    VERCEL_BLOB_RETRIES: "0",
  });
  const before = getGlobalDispatcher();
  const redirecting = new Agent().compose((dispatch) => (options, handler) => {
    const { hostname } = new URL(String(options.origin));
    if (!hostname.endsWith(blobDomain)) return dispatch(options, handler);
    const headers = { ...(options.headers as Record<string, string>), "x-blob-host": hostname };
    return dispatch({ ...options, origin, headers }, handler);
  });
  setGlobalDispatcher(redirecting);

  async function close(): Promise<void> {
    setGlobalDispatcher(before);
    restoreEnvironment();
    await redirecting.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  return blobServer;
}

function setEnvironment(values: Record<string, string>): () => void {
  const before = Object.keys(values).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, values);
  return () => {
    for (const [name, value] of before)
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
  };
}
