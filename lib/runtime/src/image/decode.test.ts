import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { decodeImage } from "./decode.ts";
import type { ImageMode } from "./picture.ts";
import { golden, goldenFile, goldenTensor } from "./testing/golden.ts";
import { gifFile, iccpChunk, pngFile } from "./testing/files.ts";

const modes: readonly ImageMode[] = ["display", "reference"];

const pixels = async (bytes: Uint8Array, mode: ImageMode) => [
  ...(await decodeImage(bytes, { mode })).rgb,
];

describe("reference mode", () => {
  const lossy = /\.(jpg|webp)$/;

  it.each(golden.images)(
    "reads $file as Pillow does",
    async ({ file, tensor_prefix, width, height }) => {
      const image = await decodeImage(await goldenFile(file), { mode: "reference" });
      const expected = await goldenTensor(`${tensor_prefix}.rgb`);
      expect([image.width, image.height, image.rgb.length]).toEqual([
        width,
        height,
        expected.length,
      ]);
      const off = expected.filter(
        (level, i) => Math.abs(level - image.rgb[i]!) > (lossy.test(file) ? 2 : 0),
      );
      expect(off.length / expected.length).toBeLessThanOrEqual(lossy.test(file) ? 0.001 : 0);
    },
  );

  it("shows the colour under palette transparency", async () => {
    const png = pngFile({
      width: 2,
      height: 1,
      bitDepth: 8,
      colourType: 3,
      chunks: { PLTE: Uint8Array.of(10, 20, 30, 200, 100, 50), tRNS: Uint8Array.of(0, 128) },
      pixels: [0, 1],
    });
    expect(await pixels(png, "reference")).toEqual([10, 20, 30, 200, 100, 50]);
  });

  it("shows the colour under a GIF's transparent pixels", async () => {
    // A Buffer, as read from disk: its slice() would share memory with it.
    const gif = Buffer.from(
      gifFile(2, 2, {
        palette: [9, 8, 7, 200, 100, 50, 1, 2, 3, 90, 80, 70],
        transparent: 1,
        indices: [0, 1, 2, 3],
      }),
    );
    expect(await pixels(gif, "reference")).toEqual([9, 8, 7, 200, 100, 50, 1, 2, 3, 90, 80, 70]);
    expect(await pixels(gif, "display")).toEqual([9, 8, 7, 255, 255, 255, 1, 2, 3, 90, 80, 70]);
  });

  it("clips 16-bit grey, also beside a transparent level", async () => {
    const grey = {
      width: 3,
      height: 1,
      bitDepth: 16,
      colourType: 0,
      pixels: [0, 7, 0, 255, 128, 0],
    };
    const expected = [7, 7, 7, 255, 255, 255, 255, 255, 255];
    expect(await pixels(pngFile(grey), "reference")).toEqual(expected);
    const keyed = pngFile({ ...grey, chunks: { tRNS: Uint8Array.of(0, 7) } });
    expect(await pixels(keyed, "reference")).toEqual(expected);
  });

  it.each([
    ["grey and alpha", 4, [128, 9, 0, 0], [128, 128, 128]],
    ["RGB", 2, [128, 9, 64, 255, 32, 1], [128, 64, 32]],
  ])("takes the high byte of 16-bit %s", async (_name, colourType, levels, expected) => {
    const png = pngFile({ width: 1, height: 1, bitDepth: 16, colourType, pixels: levels });
    expect(await pixels(png, "reference")).toEqual(expected);
  });
});

describe("display mode", () => {
  it("applies the EXIF orientation", async () => {
    const file = await goldenFile("exif6.jpg");
    const stored = await decodeImage(file, { mode: "reference" });
    const shown = await decodeImage(file, { mode: "display" });
    expect([stored.width, stored.height]).toEqual([shown.height, shown.width]);
    // Orientation 6: the first row stands at the right, read downwards.
    const right = shown.width - 1;
    for (const x of [0, 7, stored.width - 1]) {
      const at = 3 * (x * shown.width + right);
      expect([...shown.rgb.subarray(at, at + 3)]).toEqual([
        ...stored.rgb.subarray(3 * x, 3 * x + 3),
      ]);
    }
  });

  it("puts transparency over white", async () => {
    const png = pngFile({
      width: 2,
      height: 1,
      bitDepth: 8,
      colourType: 6,
      pixels: [0, 100, 200, 0, 9, 8, 7, 255],
    });
    expect(await pixels(png, "display")).toEqual([255, 255, 255, 9, 8, 7]);
    expect(await pixels(png, "reference")).toEqual([0, 100, 200, 9, 8, 7]);
  });

  it("scales 16-bit grey", async () => {
    const png = pngFile({
      width: 2,
      height: 1,
      bitDepth: 16,
      colourType: 0,
      pixels: [128, 0, 255, 255],
    });
    expect(await pixels(png, "display")).toEqual([128, 128, 128, 255, 255, 255]);
  });

  it("applies the colour profile, which the reference ignores", async () => {
    const p3 = await sharp({ create: { width: 1, height: 1, channels: 3, background: "red" } })
      .withIccProfile("p3")
      .png()
      .toBuffer();
    const { icc } = await sharp(p3).metadata();
    const png = pngFile({
      width: 1,
      height: 1,
      bitDepth: 8,
      colourType: 2,
      chunks: { iCCP: iccpChunk(icc!) },
      pixels: [200, 50, 50],
    });
    expect(await pixels(png, "reference")).toEqual([200, 50, 50]);
    expect((await pixels(png, "display"))[0]).toBeGreaterThan(205);
  });
});

const photo = () =>
  sharp({
    create: {
      width: 64,
      height: 48,
      channels: 3,
      noise: { type: "gaussian", mean: 128, sigma: 30 },
      background: "red",
    },
  });
const files = {
  PNG: () => photo().png(),
  JPEG: () => photo().jpeg(),
  "progressive JPEG": () => photo().jpeg({ progressive: true }),
  WebP: () => photo().webp(),
  GIF: () => photo().gif(),
  AVIF: () => photo().avif({ effort: 0 }),
};

describe.each(modes)("%s mode", (mode) => {
  it.each(Object.entries(files))(
    "reads %s, and refuses it when cut off anywhere",
    async (_name, make) => {
      const bytes = await make().toBuffer();
      const image = await decodeImage(bytes, { mode });
      expect([image.width, image.height, image.rgb.length]).toEqual([64, 48, 64 * 48 * 3]);
      const cuts = Array.from({ length: 12 }, (_, part) => Math.floor((bytes.length * part) / 12));
      await Promise.all(
        cuts.map((cut) =>
          expect(decodeImage(bytes.subarray(0, cut), { mode })).rejects.toMatchObject({
            code: "image",
          }),
        ),
      );
    },
  );

  it("accepts exactly what is within the limits", async () => {
    const bytes = await photo().png().toBuffer();
    const limits = { maxBytes: bytes.length, maxPixels: 64 * 48, maxSide: 64 };
    await decodeImage(bytes, { mode, limits });
    await expect(
      decodeImage(bytes, { mode, limits: { ...limits, maxBytes: bytes.length - 1 } }),
    ).rejects.toThrow(`image: want at most ${bytes.length - 1} bytes, got ${bytes.length}`);
    await expect(
      decodeImage(bytes, { mode, limits: { ...limits, maxPixels: 3071 } }),
    ).rejects.toThrow("image: want at most 3071 pixels, got 64x48");
    await expect(decodeImage(bytes, { mode, limits: { ...limits, maxSide: 63 } })).rejects.toThrow(
      "image: want sides of at most 63 pixels, got 64x48",
    );
  });

  it("decodes a JPEG that is too large for it at half the scale, and says its size", async () => {
    const limits = { maxBytes: 1e6, maxPixels: 64 * 48 - 1, maxSide: 64 };
    const whole = await decodeImage(await photo().blur(3).jpeg().toBuffer(), { mode });
    const half = await decodeImage(await photo().blur(3).jpeg().toBuffer(), { mode, limits });
    expect(whole.original).toEqual({ width: 64, height: 48 });
    expect(half).toMatchObject({ width: 32, height: 24, original: { width: 64, height: 48 } });
    const mean = (rgb: Uint8Array) => rgb.reduce((sum, level) => sum + level, 0) / rgb.length;
    expect(Math.abs(mean(half.rgb) - mean(whole.rgb))).toBeLessThan(2);
    await expect(decodeImage(await photo().png().toBuffer(), { mode, limits })).rejects.toThrow(
      "want at most 3071 pixels",
    );
  });

  it("reads what phones of 48 megapixels write, lying on its side or not", async () => {
    const gradient = Buffer.from(Array.from({ length: 8064 * 3 }, (_, i) => (i / 3 / 8064) * 255));
    const photograph = await sharp(gradient, { raw: { width: 8064, height: 1, channels: 3 } })
      .resize(8064, 6048, { fit: "fill", kernel: "nearest" })
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer();
    const turned = mode === "display";
    const original = turned ? { width: 6048, height: 8064 } : { width: 8064, height: 6048 };
    const { width, height, rgb, ...image } = await decodeImage(photograph, { mode });
    expect(image.original).toEqual(original);
    expect([width, height]).toEqual(turned ? [3024, 4032] : [4032, 3024]);
    // Dark where the gradient begins: at the top where it is turned, on the left where not.
    const [first, last] = [rgb[3 * (width - 1)]!, rgb[3 * width * (height - 1)]!];
    expect(turned ? [first, last] : [last, first]).toEqual([
      expect.closeTo(0, -1),
      expect.closeTo(255, -1),
    ]);
  });

  it("refuses a huge picture by its header", async () => {
    const bomb = pngFile({ width: 60_000, height: 60_000, bitDepth: 8, colourType: 0, pixels: [] });
    await expect(decodeImage(bomb, { mode })).rejects.toThrow(
      "want at most 40000000 pixels, got 60000x60000",
    );
  });
});

describe("formats", () => {
  const accepted = "PNG, JPEG, WebP, GIF, AVIF";

  it.each([
    ["SVG", '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'],
    ["PDF", "%PDF-1.7"],
    ["HTML", "<!DOCTYPE html><title>404</title>"],
    ["TIFF", "II*\0\x08\0\0\0"],
    ["BMP", "BM6\0\0\0"],
    ["HEIC", "\0\0\0\x18ftypheic\0\0\0\0mif1heic"],
    ["JPEG XL", "\xff\x0a\0\0"],
    ["an unknown format", "GIF90a"],
  ])("refuses %s by name", async (name, text) => {
    await expect(decodeImage(Buffer.from(text, "latin1"))).rejects.toMatchObject({
      code: "image",
      message: `image: want ${accepted}, got ${name}`,
    });
  });

  it("refuses an empty file", async () => {
    await expect(decodeImage(new Uint8Array(0))).rejects.toThrow("image: the file is empty");
  });

  it("refuses a damaged file without naming any path", async () => {
    const noise = Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), Buffer.alloc(100, 7)]);
    const error: unknown = await decodeImage(noise).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: "image",
      message: expect.stringMatching(/^image: this PNG file is damaged or cut off/),
    });
    expect(String(error)).not.toMatch(/\/[a-z]+\//);
  });
});
