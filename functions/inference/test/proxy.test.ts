/** A proxy that ends TLS in front of the server, as the deployment guide has it. */
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { createServer, request as secureRequest } from "node:https";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createFakeEngine } from "../src/testing/fakeEngine.ts";
import { testServer } from "./testServer.ts";
import type { TestServer } from "./testServer.ts";

/** Made for this test, trusted by nobody. */
const file = (name: string) => readFileSync(new URL(`./tls/${name}.pem`, import.meta.url));
const key = "first-key";
let server: TestServer;
/** Whether the proxy passes the host on that it was called by. */
let keepsHost = true;
const proxy = createServer(
  { key: file("key"), cert: file("certificate") },
  (incoming, outgoing) => {
    const headers = keepsHost
      ? incoming.headers
      : { ...incoming.headers, host: `127.0.0.1:${server.port}` };
    const passed = request(
      {
        port: server.port,
        host: "127.0.0.1",
        method: incoming.method,
        path: incoming.url,
        headers,
      },
      (answer) => answer.pipe(outgoing.writeHead(answer.statusCode!, answer.headers)),
    );
    incoming.pipe(passed);
  },
);
beforeAll(async () => {
  server = await testServer(createFakeEngine(), { config: { keys: [key] } });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
});
afterAll(async () => {
  proxy.closeAllConnections();
  proxy.close();
  await server[Symbol.asyncDispose]();
});

/** What a page sends; its origin is the proxy's unless another is given. */
function post(headers: Record<string, string> = {}): Promise<number> {
  const { port } = proxy.address() as AddressInfo;
  return new Promise((resolve, reject) => {
    const sent = secureRequest(
      {
        port,
        host: "localhost",
        ca: file("certificate"),
        method: "POST",
        path: "/v1/tokenize",
        agent: false,
        headers: {
          authorization: `Bearer ${key}`,
          "content-type": "application/json",
          origin: `https://localhost:${port}`,
          ...headers,
        },
      },
      (answer) => resolve(answer.resume().statusCode!),
    );
    sent.on("error", reject).end('{"text":"hi"}');
  });
}

test("pages of the server's own call it through the proxy", async () => {
  keepsHost = true;
  expect(await post()).toBe(200);
  expect(await post({ "sec-fetch-site": "same-origin" })).toBe(200);
  keepsHost = false;
  expect(await post({ "sec-fetch-site": "same-origin" })).toBe(200);
});

test("pages of others do not", async () => {
  for (const kept of [true, false]) {
    keepsHost = kept;
    expect(await post({ origin: "https://evil.example", "sec-fetch-site": "cross-site" })).toBe(
      403,
    );
    expect(await post({ origin: "null" })).toBe(403);
  }
});
