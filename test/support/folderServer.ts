import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";

const types: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".json": "application/json",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".wasm": "application/wasm",
};

export interface FolderServer {
  url: string;
  /** What is served, by path; tests may change it. */
  folders: Record<string, string>;
  /** Paths that were asked for, with the range where there was one. */
  requests: string[];
  stop(): Promise<void>;
}

/**
 * Files of a folder over HTTP, by path: whole, or from an offset on.
 * @param folders by the path they are served under; the first that has a file gives it
 * @param headers of every answer
 */
export async function serveFolders(
  folders: Record<string, string>,
  headers: Readonly<Record<string, string>> = {},
): Promise<FolderServer> {
  const server = createServer((request, response) => {
    void (async () => {
      const path = normalize(decodeURIComponent(new URL(request.url!, "http://x").pathname));
      const { range } = request.headers;
      served.requests.push(range === undefined ? path : `${path} ${range}`);
      const wanted = path.endsWith("/") ? `${path}index.html` : path;
      for (const [under, folder] of Object.entries(served.folders)) {
        if (!wanted.startsWith(under)) continue;
        const file = join(folder, wanted.slice(under.length));
        const found = await stat(file).catch(() => undefined);
        if (!found?.isFile()) continue;
        const start = Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1] ?? 0);
        response.writeHead(start > 0 ? 206 : 200, {
          ...headers,
          "content-type": types[extname(file)] ?? "application/octet-stream",
          "content-length": found.size - start,
          ...(start > 0 && { "content-range": `bytes ${start}-${found.size - 1}/${found.size}` }),
        });
        createReadStream(file, { start }).pipe(response);
        return;
      }
      response.writeHead(404, headers).end();
    })();
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const served: FolderServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    folders,
    requests: [],
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return served;
}
