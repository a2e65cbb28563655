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

/** Where a host has models for pages that run them: folders by name, and in `index.json` the list of names. */
export const modelsPath = "/models/";
