/** The API half of the Blob server: JSON answers, `{ error: { code, message } }` on failure. */
import { createHash, randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { buffer } from "node:stream/consumers";
import { storeId, type Answer, type Blob, type BlobServer } from "./blobServerState.ts";

/** S3's limit, behind Blob: all parts but the last have at least 5 MiB. */
const minPartBytes = 5 * 1024 * 1024;

const statuses = { bad_request: 400, forbidden: 403, not_found: 404, precondition_failed: 412 };

class ApiError extends Error {
  readonly code: keyof typeof statuses;
  constructor(code: keyof typeof statuses, message: string) {
    super(message);
    this.code = code;
  }
}

interface Call {
  query: URLSearchParams;
  headers: IncomingMessage["headers"];
  body: Buffer;
}

interface Upload {
  key: string;
  parts: Map<number, { bytes: Buffer; etag: string }>;
}

const etagOf = (bytes: Buffer) => `"${createHash("md5").update(bytes).digest("hex")}"`;
const header = (call: Call, name: string) => call.headers[name] as string | undefined;
const pathname = ({ query }: Call) => query.get("pathname") ?? "";
const deleted = ({ body }: Call) => (JSON.parse(body.toString()) as { urls: string[] }).urls;

function describeBlob(key: string, blob: Blob): object {
  const url = `https://${storeId}.${blob.access}.blob.vercel-storage.com/${key}`;
  const { contentType, etag, uploadedAt } = blob;
  return {
    url,
    downloadUrl: `${url}?download=1`,
    pathname: key,
    size: blob.bytes.byteLength,
    contentType,
    contentDisposition: `inline; filename="${key.split("/").at(-1)}"`,
    cacheControl: "public, max-age=2592000",
    uploadedAt,
    etag,
  };
}

function nameOf(route: string, call: Call): string | undefined {
  if (route === "POST /mpu") return header(call, "x-mpu-action");
  if (route === "GET /") return call.query.has("url") ? "head" : "list";
  return { "PUT /": "put", "POST /delete": "delete" }[route];
}

export function blobApi(server: BlobServer): Answer {
  const { blobs } = server;
  const uploads = new Map<string, Upload>();

  function assertIfMatch(call: Call, key: string): void {
    const want = header(call, "x-if-match");
    if (want === undefined) return;
    if (!blobs.has(key)) throw new ApiError("not_found", "The requested blob does not exist");
    if (blobs.get(key)?.etag !== want) throw new ApiError("precondition_failed", "ETag mismatch");
  }

  /** Conditions and write are one step, as on S3. */
  function write(call: Call, bytes: Buffer): object {
    const key = pathname(call);
    assertIfMatch(call, key);
    if (header(call, "x-add-random-suffix") !== "0")
      throw new ApiError("bad_request", "this server adds no random suffix");
    if (header(call, "x-allow-overwrite") !== "1" && blobs.has(key))
      throw new ApiError(
        "bad_request",
        "This blob already exists, use `allowOverwrite: true` if you want to overwrite it.",
      );
    const blob = {
      bytes,
      etag: etagOf(bytes),
      contentType: header(call, "x-content-type") ?? "application/octet-stream",
      uploadedAt: new Date(),
      access: header(call, "x-vercel-blob-access") ?? "public",
    };
    blobs.set(key, blob);
    return describeBlob(key, blob);
  }

  function uploadOf(call: Call): Upload {
    const upload = uploads.get(header(call, "x-mpu-upload-id") ?? "");
    if (upload?.key !== decodeURIComponent(header(call, "x-mpu-key") ?? ""))
      throw new ApiError("not_found", "no such upload");
    return upload;
  }

  /** Operations by name: how a request reads in `requests`, and what it does. */
  const operations: Record<string, { subject(call: Call): string; run(call: Call): object }> = {
    put: { subject: pathname, run: (call) => write(call, call.body) },
    create: {
      subject: pathname,
      run(call) {
        const uploadId = randomUUID();
        uploads.set(uploadId, { key: pathname(call), parts: new Map() });
        return { uploadId, key: pathname(call) };
      },
    },
    upload: {
      subject: (call) => `${pathname(call)} ${header(call, "x-mpu-part-number")}`,
      run(call) {
        const etag = etagOf(call.body);
        const number = Number(header(call, "x-mpu-part-number"));
        uploadOf(call).parts.set(number, { bytes: call.body, etag });
        return { etag };
      },
    },
    complete: {
      subject: pathname,
      run(call) {
        const { parts } = uploadOf(call);
        const named = JSON.parse(call.body.toString()) as { partNumber: number; etag: string }[];
        const bytes = named.map(({ partNumber, etag }, index) => {
          const part = parts.get(partNumber);
          const small = (part?.bytes.byteLength ?? 0) < minPartBytes && index < named.length - 1;
          if (partNumber !== index + 1 || part?.etag !== etag || small)
            throw new ApiError(
              "bad_request",
              `part ${partNumber} is missing, out of order or too small`,
            );
          return part.bytes;
        });
        const blob = write(call, Buffer.concat(bytes));
        uploads.delete(header(call, "x-mpu-upload-id") ?? "");
        return blob;
      },
    },
    delete: {
      subject: (call) => deleted(call).join(" "),
      run(call) {
        for (const key of deleted(call)) {
          assertIfMatch(call, key);
          blobs.delete(key);
        }
        return {};
      },
    },
    head: {
      subject: ({ query }) => query.get("url") ?? "",
      run({ query }) {
        const key = query.get("url") ?? "";
        const blob = blobs.get(key);
        if (!blob) throw new ApiError("not_found", "The requested blob does not exist");
        return describeBlob(key, blob);
      },
    },
    list: {
      subject: ({ query }) => query.get("prefix") ?? "",
      run({ query }) {
        const after = Buffer.from(query.get("cursor") ?? "", "base64url").toString();
        const limit = Number(query.get("limit") ?? 1000);
        const keys = [...blobs.keys()]
          .filter((key) => key.startsWith(query.get("prefix") ?? "") && key > after)
          .toSorted();
        const page = keys.slice(0, limit);
        const hasMore = keys.length > limit;
        const cursor = hasMore ? Buffer.from(page.at(-1) ?? "").toString("base64url") : undefined;
        return { blobs: page.map((key) => describeBlob(key, blobs.get(key)!)), hasMore, cursor };
      },
    },
  };

  return async (request, response) => {
    const url = new URL(request.url ?? "/", "http://api");
    const call = { query: url.searchParams, headers: request.headers, body: await buffer(request) };
    const operation = nameOf(`${request.method} ${url.pathname}`, call) ?? "unknown";
    const { subject, run } = operations[operation] ?? {};
    const send = (status: number, body: object) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(body));
    };
    try {
      if (request.headers.authorization !== `Bearer ${server.token}`)
        throw new ApiError("forbidden", "Access denied");
      if (request.headers["x-api-version"] !== "12")
        throw new ApiError("bad_request", "this server speaks API version 12");
      if (!subject || !run) throw new ApiError("bad_request", `no such request: ${request.url}`);
      const line = `${operation} ${subject(call)}`;
      server.requests.push(line);
      const { status, code = "unknown_error", dropAfter } = server.fault(line) ?? {};
      if (dropAfter !== undefined) response.destroy();
      else if (status) send(status, { error: { code, message: "as the test wants it" } });
      else send(200, run(call));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      send(statuses[error.code], { error: { code: error.code, message: error.message } });
    }
  };
}
