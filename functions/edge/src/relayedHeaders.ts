/** Headers of the connection to the origin, and those that the edge sets itself. */
const dropped = new Set([
  "connection",
  "keep-alive",
  "transfer-encoding",
  "content-length",
  "content-encoding", // fetch has decoded the body
  "server",
  "set-cookie",
  "x-request-id",
]);

/** What of an origin's headers the client gets. */
export function relayedHeaders(headers: Headers): Headers {
  const kept = [...headers].filter(
    ([name]) => !dropped.has(name) && !name.startsWith("access-control-"),
  );
  return new Headers(kept);
}
