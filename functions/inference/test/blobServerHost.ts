/** The other half of the Blob server: the host that blobs are read from. */
import { gzipSync } from "node:zlib";
import { storeId, type Answer, type Blob, type BlobServer } from "./blobServerState.ts";

export function blobHost(server: BlobServer): Answer {
  /** What the CDN has seen; it shows that for a month, or a minute after a change. */
  const cdn = new Map<string, Blob>();

  return async (request, response) => {
    const url = new URL(request.url ?? "/", "http://host");
    const key = decodeURIComponent(url.pathname.slice(1));
    const range = request.headers.range;
    const line = `get ${key}${range ? ` ${range}` : ""}`;
    server.requests.push(line);
    const fault = server.fault(line) ?? {};
    const refuse = (status: number) => response.writeHead(status).end();

    const stored = server.blobs.get(key);
    const blob = url.searchParams.get("cache") === "0" ? stored : (cdn.get(key) ?? stored);
    if (fault.status) return void refuse(fault.status);
    if (!blob) return void refuse(404);
    if (
      request.headers["x-blob-host"] !==
      `${storeId.toLowerCase()}.${blob.access}.blob.vercel-storage.com`
    )
      return void refuse(404);
    if (blob.access === "private" && request.headers.authorization !== `Bearer ${server.token}`)
      return void refuse(403);
    cdn.set(key, blob);
    if (request.headers["if-none-match"] === blob.etag) return void refuse(304);

    const start = fault.ignoreRange ? 0 : Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1] ?? 0);
    const total = blob.bytes.byteLength;
    if (start > 0 && start >= total) return void refuse(416);
    const compress =
      /gzip/.test(String(request.headers["accept-encoding"])) && /json|text/.test(blob.contentType);
    const plain = Buffer.from(blob.bytes.subarray(start));
    if (fault.corruptAt !== undefined && fault.corruptAt < plain.byteLength)
      plain[fault.corruptAt]! ^= 0xff;
    const bytes = compress ? gzipSync(plain) : plain;
    response.writeHead(start > 0 ? 206 : 200, {
      "content-type": blob.contentType,
      "content-length": bytes.byteLength,
      "last-modified": blob.uploadedAt.toUTCString(),
      etag: compress ? `W/${blob.etag}` : blob.etag,
      ...(compress && { "content-encoding": "gzip" }),
      ...(start > 0 && { "content-range": `bytes ${start}-${total - 1}/${total}` }),
    });
    if (fault.dropAfter === undefined) return void response.end(bytes);
    response.write(bytes.subarray(0, fault.dropAfter), () => response.destroy());
  };
}
