import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { sha256Of } from "./digest.ts";

it.each([1000, 65 * 2 ** 20])("is the sha256 of %d bytes", async (size) => {
  const bytes = new Uint8Array(size).map((_, i) => i % 251);
  const want = createHash("sha256").update(bytes).digest("hex");
  expect(await sha256Of(new Blob([bytes]))).toBe(want);
});
