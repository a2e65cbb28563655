import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { hostPlayground } from "./hosted.ts";

const host = hostPlayground();

it("serves pages that nobody frames and that run no script but their own", async () => {
  const response = await fetch(host.server.url);
  const { headers, status } = response;
  expect(status).toBe(200);
  expect(headers.get("x-frame-options")).toBe("DENY");
  expect(headers.get("x-content-type-options")).toBe("nosniff");
  expect(headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
  // What a page may run it says itself, since it is made before anybody asks for it.
  const page = await response.text();
  const [, policy] = /<meta http-equiv="content-security-policy" content="([^"]+)"/.exec(page)!;
  const hashes = Array.from(page.matchAll(/<script>([^]*?)<\/script>/g), ([, script = ""]) => {
    const hash = createHash("sha256").update(script).digest("base64");
    return `'sha256-${hash}'`;
  });
  expect(/script-src ([^;]+);/.exec(policy)![1].split(" ").toSorted()).toEqual(
    ["'self'", "'wasm-unsafe-eval'", ...hashes].toSorted(),
  );
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
