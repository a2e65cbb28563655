import { describe, expect, it } from "vitest";
import { toFloat32 } from "@tinygptv/model";
import { decodeImage } from "./decode.ts";
import { encodePng } from "./encodePng.ts";
import { normalize, preprocess } from "./preprocess.ts";
import { golden, goldenFile, goldenTensor } from "./testing/golden.ts";

const { mean, std } = golden;

function largestDifference(actual: Float32Array, expected: Float32Array): number {
  expect(actual.length).toBe(expected.length);
  return actual.reduce((largest, value, i) => Math.max(largest, Math.abs(value - expected[i]!)), 0);
}

describe("normalize", () => {
  it("gives every level its value", async () => {
    const table = toFloat32(await goldenTensor("normalize.table"), "float32"); // [3,256]
    const levels = Uint8Array.from({ length: 16 * 16 * 3 }, (_, i) => Math.floor(i / 3));
    expect(largestDifference(normalize(levels, { size: 16, mean, std }), table)).toBeLessThan(1e-6);
  });
});

describe("preprocess", () => {
  const whole = golden.images.filter(({ normalized }) => normalized !== undefined);

  it.each(whole)(
    "takes $file to the reference's tensor",
    async ({ file, tensor_prefix, normalized }) => {
      const image = await decodeImage(await goldenFile(file), { mode: "reference" });
      const pixelValues = preprocess(image, { size: normalized!, mean, std });
      const expected = await goldenTensor(`${tensor_prefix}.normalized${normalized}`);
      expect(largestDifference(pixelValues, toFloat32(expected, "float32"))).toBeLessThan(1e-6);
    },
  );
});

describe("encodePng", () => {
  it("writes a PNG of the same pixels", async () => {
    const image = { width: 2, height: 1, rgb: Uint8Array.of(1, 2, 3, 250, 128, 0) };
    const decoded = await decodeImage(await encodePng(image), { mode: "reference" });
    expect(decoded).toMatchObject({ width: 2, height: 1 });
    expect([...decoded.rgb]).toEqual([...image.rgb]);
  });
});
