/** What the endpoint answers; on a host with pages, all else is theirs. `/*` stands for any rest. */
export const apiPaths = [
  "/v1/*",
  "/health",
  "/ready",
  "/metrics",
  "/openapi.json",
  "/docs",
  "/docs/*",
] as const;
