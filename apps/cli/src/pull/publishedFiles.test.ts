import { expect, it } from "vitest";
import { expectedFiles } from "./expected.ts";
import { publishedFiles } from "./publishedFiles.ts";
import { stages } from "./stages.ts";

const { signal } = new AbortController();

it("knows size and checksum of every large file", () => {
  for (const stage of stages) {
    const large = publishedFiles(stage).filter(({ path }) => /\.(pth|bin)$/.test(path));
    expect(large).toHaveLength(4);
    for (const { bytes, sha256 } of large) {
      expect(bytes).toBeGreaterThan(100_000_000);
      expect(sha256).toMatch(/^[0-9a-f]{64}$/);
    }
  }
});

it("wants today's stage-4 file, not the versions before it", () => {
  const file = publishedFiles("4").find(({ path }) => path === "TinyGPT-V_for_Stage4.pth");
  expect(file).toMatchObject({
    bytes: 543_654_414,
    sha256: "c74973388674f881e57a150de2e69241b5fd9c6b2c52c14536906803abe6d409",
  });
});

it("takes the caller's word for another file than the published one", async () => {
  const sum = "0".repeat(64);
  const files = await expectedFiles({ stage: "4", sha256: { "eva_vit_g.pth": sum } }, signal);
  const vision = files.find(({ path }) => path === "eva_vit_g.pth")!;
  expect(vision.sha256).toBe(sum);
  expect(vision).not.toHaveProperty("bytes");
});
