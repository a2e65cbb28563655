import { createServer } from "node:http";
import type { RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { redPixel } from "../testing/pictures.ts";
import { createFetchPicture } from "./fetchPicture.ts";
import type { FetchOptions } from "./fetchPicture.ts";

const limits = { imageBytes: 1000, imageFetchMs: 500, imageRedirects: 2 };
let port = 0;
const asked: string[] = [];

const routes: Record<string, RequestListener> = {
  "/red.png": (_, response) => response.end(redPixel),
  "/chunked.png": (_, response) => {
    response.write(redPixel.subarray(0, 10));
    response.end(redPixel.subarray(10));
  },
  "/declared-large": (_, response) =>
    response.writeHead(200, { "content-length": "2000" }).flushHeaders(),
  "/large": (_, response) => {
    for (let i = 0; i < 20; i += 1) response.write(new Uint8Array(100));
    response.end();
  },
  "/slow": (_, response) => void response.write("x"),
  "/silent": () => {},
  "/missing": (_, response) => response.writeHead(404).end(),
  "/hang-up": (request) => request.socket.destroy(),
  "/to-red": (_, response) => response.writeHead(302, { location: "/red.png" }).end(),
  "/to-private": (_, response) =>
    response.writeHead(302, { location: "http://10.0.0.1/a.png" }).end(),
  "/to-file": (_, response) => response.writeHead(302, { location: "file:///etc/passwd" }).end(),
  "/loop": (_, response) => response.writeHead(302, { location: "/loop" }).end(),
  "/nowhere": (_, response) => response.writeHead(302).end(),
};
const server = createServer((request, response) => {
  asked.push(request.url!);
  (routes[request.url!] ?? routes["/missing"])!(request, response);
});

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ({ port } = server.address() as AddressInfo);
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const loopback = { address: "127.0.0.1", family: 4 };

/** Names resolve to the test's server, and its address counts as public. */
function fetchWith(
  url: string,
  options: Partial<FetchOptions> = {},
  signal = new AbortController().signal,
) {
  const fetchPicture = createFetchPicture({
    limits,
    resolve: async () => [loopback],
    isAllowed: (address) => address === "127.0.0.1",
    ...options,
  });
  return fetchPicture(url.replace("PORT", String(port)), "image", signal);
}

const refusal = (code: string, message: RegExp) =>
  expect.objectContaining({ code, param: "image", message: expect.stringMatching(message) });

describe("fetches", () => {
  test.each(["/red.png", "/chunked.png", "/to-red"])("%s", async (path) => {
    expect(new Uint8Array(await fetchWith(`http://pictures.example:PORT${path}`))).toEqual(
      redPixel,
    );
  });

  test("resolving a name once, for the connection it makes", async () => {
    let times = 0;
    const resolve = async () => (times++ === 0 ? [loopback] : [{ address: "10.0.0.1", family: 4 }]);
    await fetchWith("http://rebind.example:PORT/red.png", { resolve });
    expect(times).toBe(1);
  });
});

describe("refuses", () => {
  test.each([
    ["http://127.0.0.1:PORT/red.png"],
    ["http://127.1:PORT/red.png"],
    ["http://2130706433:PORT/red.png"],
    ["http://0x7f.0.0.1:PORT/red.png"],
    ["http://0177.0.0.1:PORT/red.png"],
    ["http://[::1]:PORT/red.png"],
    ["http://[::ffff:127.0.0.1]:PORT/red.png"],
    ["http://169.254.169.254/latest/meta-data/"],
    ["http://１２７.０.０.１:PORT/red.png"],
  ])("%s without asking it", async (url) => {
    asked.length = 0;
    const fetchPicture = createFetchPicture({ limits });
    await expect(
      fetchPicture(url.replace("PORT", String(port)), "image", new AbortController().signal),
    ).rejects.toEqual(refusal("image_url_refused", /not a public address/));
    expect(asked).toEqual([]);
  });

  test("a name of which any address is private", async () => {
    const resolve = async () => [loopback, { address: "10.0.0.1", family: 4 }];
    await expect(fetchWith("http://mixed.example:PORT/red.png", { resolve })).rejects.toEqual(
      refusal("image_url_refused", /mixed\.example is not a public address/),
    );
  });

  test("localhost as it really resolves", async () => {
    const fetchPicture = createFetchPicture({ limits });
    await expect(
      fetchPicture(`http://localhost:${port}/red.png`, "image", new AbortController().signal),
    ).rejects.toEqual(refusal("image_url_refused", /localhost/));
  });

  test.each([
    ["file:///etc/passwd", "invalid_image_url", /got file:/],
    ["ftp://example.com/a.png", "invalid_image_url", /got ftp:/],
    ["javascript:alert(1)", "invalid_image_url", /got javascript:/],
    ["/etc/passwd", "invalid_image_url", /not a URL/],
    ["http://", "invalid_image_url", /not a URL/],
    ["http://user:secret@pictures.example:PORT/red.png", "invalid_image_url", /without user name/],
    ["http://pictures.example:PORT/to-private", "image_url_refused", /10\.0\.0\.1/],
    ["http://pictures.example:PORT/to-file", "invalid_image_url", /got file:/],
    ["http://pictures.example:PORT/loop", "image_url_unreachable", /at most 2 redirects/],
    ["http://pictures.example:PORT/nowhere", "image_url_unreachable", /no location/],
    ["http://pictures.example:PORT/missing", "image_url_unreachable", /answered 404/],
    ["http://pictures.example:PORT/hang-up", "image_url_unreachable", /cannot be fetched/],
    ["http://pictures.example:PORT/declared-large", "image_too_large", /at most 1000 bytes/],
    ["http://pictures.example:PORT/large", "image_too_large", /at most 1000 bytes/],
    ["http://pictures.example:PORT/slow", "image_url_unreachable", /within 500 ms/],
    ["http://pictures.example:PORT/silent", "image_url_unreachable", /within 500 ms/],
  ])("%s: %s", async (url, code, message) => {
    await expect(fetchWith(url)).rejects.toEqual(refusal(code, message));
  });

  test("a name that does not resolve, as if it were an inner one", async () => {
    const resolve = async () => {
      throw Object.assign(new Error("getaddrinfo ENOTFOUND"), { code: "ENOTFOUND" });
    };
    await expect(fetchWith("http://no.example/red.png", { resolve })).rejects.toEqual(
      refusal("image_url_refused", /no\.example is not a public address/),
    );
  });

  test("to go on when the caller has gone", async () => {
    const caller = new AbortController();
    const fetched = fetchWith("http://pictures.example:PORT/silent", {}, caller.signal);
    caller.abort();
    await expect(fetched).rejects.toEqual(refusal("image_url_unreachable", /cannot be fetched/));
  });
});

describe("by way of a proxy", () => {
  /** What the proxy was asked for. */
  const passed: string[] = [];
  const proxy = createServer(({ url }, response) => {
    passed.push(url!);
    response.end(redPixel);
  });
  beforeAll(async () => {
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  });
  beforeEach(() => {
    passed.length = 0;
    const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    for (const name of ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"])
      vi.stubEnv(name, url);
    for (const name of ["NO_PROXY", "no_proxy"]) vi.stubEnv(name, "inner.example");
  });
  afterEach(() => void vi.unstubAllEnvs());
  afterAll(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  const unresolved = async (): Promise<never> => {
    throw new Error("names are the proxy's to resolve");
  };
  const isAllowed = () => false;

  test("pictures come where it is asked for, and names are the proxy's", async () => {
    const options = { useProxy: true, resolve: unresolved, isAllowed };
    const bytes = await fetchWith("http://a.example/red.png", options);
    expect(new Uint8Array(bytes)).toEqual(redPixel);
    expect(passed).toEqual(["http://a.example/red.png"]);
  });

  test("addresses are judged here all the same, and so are names that go without it", async () => {
    for (const url of ["http://10.0.0.1/red.png", "http://inner.example/red.png"])
      await expect(fetchWith(url, { useProxy: true, isAllowed })).rejects.toMatchObject({
        code: "image_url_refused",
      });
    expect(passed).toEqual([]);
  });

  test("nothing goes there unless it is asked for", async () => {
    await fetchWith(`http://a.example:${port}/red.png`);
    expect(passed).toEqual([]);
  });
});
