import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { resizeBicubic } from "./resize.ts";
import { golden, goldenTensor } from "./testing/golden.ts";

const cases = golden.images.flatMap(({ file, tensor_prefix, width, height, sizes }) =>
  sizes.map((size) => ({ file, tensor_prefix, width, height, size })),
);

const picture = fc
  .record({ width: fc.integer({ min: 1, max: 40 }), height: fc.integer({ min: 1, max: 40 }) })
  .chain(({ width, height }) =>
    fc.record({
      width: fc.constant(width),
      height: fc.constant(height),
      rgb: fc.uint8Array({ minLength: width * height * 3, maxLength: width * height * 3 }),
    }),
  );

/** A picture seen in a mirror standing beside it. */
const mirror = (rgb: Uint8Array, width: number) =>
  rgb.map((_, i) => {
    const pixel = Math.floor(i / 3);
    const x = pixel % width;
    return rgb[3 * (pixel - x + width - 1 - x) + (i % 3)]!;
  });

describe("resizeBicubic", () => {
  it.each(cases)(
    "resizes $file to $size as Pillow does",
    async ({ tensor_prefix, width, height, size }) => {
      const rgb = await goldenTensor(`${tensor_prefix}.rgb`);
      const expected = await goldenTensor(`${tensor_prefix}.resized${size}`);
      expect(Buffer.compare(resizeBicubic(rgb, width, height, size), expected)).toBe(0);
    },
  );

  it("leaves a picture of the wanted size as it is", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.infiniteStream(fc.nat(255)),
        (size, levels) => {
          const rgb = Uint8Array.from(levels.take(size * size * 3));
          expect(resizeBicubic(rgb, size, size, size)).toEqual(rgb);
        },
      ),
    );
  });

  it("keeps a plain colour, whatever the sizes", () => {
    fc.assert(
      fc.property(
        fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255)),
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 1, max: 40 }),
        (colour, width, height, size) => {
          const rgb = Uint8Array.from({ length: width * height * 3 }, (_, i) => colour[i % 3]!);
          const expected = Uint8Array.from({ length: size * size * 3 }, (_, i) => colour[i % 3]!);
          expect(resizeBicubic(rgb, width, height, size)).toEqual(expected);
        },
      ),
    );
  });

  it("mirrors with the picture, up to rounding", () => {
    fc.assert(
      fc.property(picture, fc.integer({ min: 1, max: 24 }), ({ width, height, rgb }, size) => {
        const there = mirror(resizeBicubic(rgb, width, height, size), size);
        const back = resizeBicubic(mirror(rgb, width), width, height, size);
        expect(
          Math.max(...there.map((level, i) => Math.abs(level - back[i]!))),
        ).toBeLessThanOrEqual(1);
      }),
    );
  });
});
