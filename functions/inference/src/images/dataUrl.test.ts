import { expect, test } from "vitest";
import { dataUrl, redPixel } from "../testing/pictures.ts";
import { decodeDataUrl } from "./dataUrl.ts";

test.each([1, 2, 3, 70, 1_000_000])("gives %i bytes back", (length) => {
  const bytes = new Uint8Array(length).fill(7);
  expect(new Uint8Array(decodeDataUrl(dataUrl(bytes), length, "url"))).toEqual(bytes);
});

test("knows parameters and upper case", () => {
  const text = Buffer.from(redPixel).toString("base64");
  expect(decodeDataUrl(`DATA:image/PNG;name=a.png;BASE64,${text}`, 1000, "url")).toHaveLength(
    redPixel.length,
  );
});

test.each([
  ["data:image/png,abc", "invalid_image_url"],
  ["data:;base64,AAAA", "invalid_image_url"],
  ["data:text/html;base64,AAAA", "invalid_image_url"],
  ["data:image/png;base64,AAA", "invalid_image_url"],
  ["data:image/png;base64,A=AA", "invalid_image_url"],
  ["data:image/png;base64,AA AA", "invalid_image_url"],
  ["data:image/png;base64,AAA*", "invalid_image_url"],
  [`data:image/png;base64,${"A".repeat(80)}`, "image_too_large"],
])("%s: %s", (url, code) => {
  expect(() => decodeDataUrl(url, 50, "url")).toThrow(
    expect.objectContaining({ code, param: "url" }),
  );
});
