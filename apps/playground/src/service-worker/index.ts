/**
 * Keeps the page, so that it opens without its server: notebooks are in the
 * browser. What is not a file of the build or an address of the page passes by,
 * so no answer of an endpoint is ever kept.
 */
import { version } from "$app/env";
import { assets, immutable } from "$app/manifest";
import { self as worker } from "$app/service-worker";
import { apiPaths } from "@tinygptv/protocol/http";

/** Each version has its own, complete: a page that is open goes on with the files it began with. */
const cacheName = `page-${version}`;
/** Every address has the same page: it finds out in the browser what it shows. */
const page = "/";
const files = new Set(
  [...immutable, ...assets]
    .map(({ path }) => new URL(path, worker.origin).pathname)
    // The engine keeps ONNX Runtime itself, in browsers that have one.
    .filter((path) => !path.endsWith(".wasm")),
);

worker.addEventListener("install", (event) => event.waitUntil(keepFiles()));
worker.addEventListener("activate", (event) => event.waitUntil(takeOver()));
worker.addEventListener("fetch", (event) => {
  const { method, mode, url } = event.request;
  const { origin, pathname } = new URL(url);
  if (method !== "GET" || origin !== worker.origin) return;
  if (files.has(pathname)) event.respondWith(keptFile(event.request, pathname));
  else if (mode === "navigate" && !isApi(pathname)) event.respondWith(newestPage(event.request));
});

async function keepFiles(): Promise<void> {
  const cache = await caches.open(cacheName);
  await cache.addAll([...files, new Request(page, { cache: "reload" })]);
}

/** Runs once no page of the version before is open, so nobody needs its files any more. */
async function takeOver(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name !== cacheName).map((name) => caches.delete(name)));
  await worker.clients.claim();
}

async function keptFile(request: Request, path: string): Promise<Response> {
  const cache = await caches.open(cacheName);
  return (await cache.match(path)) ?? fetch(request);
}

/** The server's where it has one, so that a new version is taken at once; otherwise the one kept. */
async function newestPage(request: Request): Promise<Response> {
  const answer = await fetch(request).catch(() => undefined);
  if (answer !== undefined && answer.status < 500) return answer;
  const kept = await (await caches.open(cacheName)).match(page);
  return kept ?? answer ?? Response.error();
}

const isApi = (path: string): boolean =>
  apiPaths.some((known) =>
    known.endsWith("/*") ? path.startsWith(known.slice(0, -1)) : path === known,
  );
