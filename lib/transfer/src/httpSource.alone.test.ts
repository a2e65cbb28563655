import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { connect } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { afterAll, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { webFetch } from "./httpSource.ts";

/** What the proxy was asked to reach. */
let asked: string[] = [];
const answer = (_: IncomingMessage, response: ServerResponse) => response.end("the file");
const server = createServer(answer);
const proxy = createServer((request, response) => {
  asked.push(new URL(request.url!).host);
  answer(request, response);
});
// The proxy knows one machine by every name.
proxy.on("connect", (request, socket: Socket) => {
  asked.push(request.url!);
  const onward = connect(portOf(server), "127.0.0.1", () => {
    socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
    socket.pipe(onward).pipe(socket);
  });
});
const portOf = ({ address }: typeof server) => (address.call(server) as AddressInfo).port;

beforeAll(async () => {
  for (const each of [server, proxy])
    await new Promise<void>((resolve) => each.listen(0, "127.0.0.1", resolve));
  vi.stubEnv("HTTP_PROXY", `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`);
});
beforeEach(() => {
  asked = [];
});
afterAll(() => {
  vi.unstubAllEnvs();
  for (const each of [server, proxy]) {
    each.closeAllConnections();
    each.close();
  }
});

it("goes by way of the proxy that the environment names", async () => {
  const response = await webFetch("http://files.invalid/weights.bin");
  expect(await response.text()).toBe("the file");
  expect(asked).toEqual([expect.stringMatching(/^files\.invalid(:80)?$/)]);
});

it("goes there itself where NO_PROXY says so", async () => {
  vi.stubEnv("NO_PROXY", "127.0.0.1,localhost");
  const response = await webFetch(`http://127.0.0.1:${portOf(server)}/weights.bin`);
  expect(await response.text()).toBe("the file");
  expect(asked).toEqual([]);
});
