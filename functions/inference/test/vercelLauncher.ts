/**
 * Starts a built Node function as Vercel's launcher does: imports what its
 * configuration names and calls its default export for each request. Prints
 * the port it listens on.
 */
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const { handler } = JSON.parse(readFileSync(".vc-config.json", "utf8"));
const { default: listener } = (await import(pathToFileURL(join(process.cwd(), handler)).href)) as {
  default: RequestListener;
};
const server = createServer(listener);
server.listen(0, "127.0.0.1", () =>
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`),
);
