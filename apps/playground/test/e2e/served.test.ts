import { expect, it } from "vitest";
import { hostPlayground } from "./hosted.ts";

const host = hostPlayground();

it("serves pages that nobody frames and that run no script but their own", async () => {
  const { headers, status } = await fetch(host.server.url);
  expect(status).toBe(200);
  expect(headers.get("x-frame-options")).toBe("DENY");
  expect(headers.get("x-content-type-options")).toBe("nosniff");
  const policy = headers.get("content-security-policy") ?? "";
  expect(policy).toMatch(/script-src 'self' 'nonce-[^']+';/);
  expect(policy).toContain("frame-ancestors 'none'");
});

it("tells who sends to a path without /v1 which one is meant", async () => {
  const response = await fetch(`${host.server.url}/chat/completions`, {
    method: "POST",
    body: "{}",
  });
  expect(response.status).toBe(404);
  const { error } = (await response.json()) as { error: { message: string } };
  expect(error.message).toContain(
    `the base URL for clients is ${new URL(host.server.url).origin}/v1`,
  );
});
