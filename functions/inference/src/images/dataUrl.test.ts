import { expect, test } from "vitest";
import { dataUrl } from "../testing/pictures.ts";
import { decodeDataUrl } from "./dataUrl.ts";

test.each([1, 2, 3, 70, 1_000_000])("gives %i bytes back", (length) => {
  const bytes = new Uint8Array(length).fill(7);
  expect(new Uint8Array(decodeDataUrl(dataUrl(bytes), length, "url"))).toEqual(bytes);
});

const photo = Buffer.from(Array.from({ length: 400 }, (_, i) => (i * 37) % 256));
const base64 = photo.toString("base64");
const escaped = [...photo].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");

test.each([
  ["as it is", `data:image/png;base64,${base64}`],
  ["without padding", `data:image/png;base64,${base64.replaceAll("=", "")}`],
  ["wrapped as GNU's base64 does", `data:image/png;base64,${base64.replace(/(.{76})/g, "$1\n")}`],
  ["wrapped as MIME does", `data:image/png;base64,${base64.replace(/(.{76})/g, "$1\r\n")}`],
  ["with a newline at its end", `data:image/png;base64,${base64}\n`],
  ["percent-encoded", `data:image/png;base64,${encodeURIComponent(base64)}`],
  ["with blanks around base64", `data:image/png; base64 ,${base64}`],
  ["with parameters and capitals", `DATA:image/PNG;name=a.png;BASE64,${base64}`],
  ["with a fragment", `data:image/png;base64,${base64}#top`],
  ["with blanks around it", ` data:image/png;base64,${base64} `],
  ["without base64", `data:image/png,${escaped}`],
])("what fetch decodes, we decode: %s", async (_, url) => {
  expect(Buffer.from(await (await fetch(url)).arrayBuffer())).toEqual(photo);
  expect(Buffer.from(decodeDataUrl(url, 400, "url"))).toEqual(photo);
});

test("URL-safe letters are taken, with padding and without", () => {
  const letters = photo.toString("base64url");
  for (const text of [letters, `${letters}==`])
    expect(Buffer.from(decodeDataUrl(`data:image/png;base64,${text}`, 400, "url"))).toEqual(photo);
});

test.each([
  ["data:image/png;base64", "invalid_image_url", /without a comma/],
  ["data:;base64,AAAA", "invalid_image_url", /of type image\/…, got none/],
  ["data:text/html;base64,AAAA", "invalid_image_url", /got text\/html/],
  ["data:image/png;base64,AAAAA", "invalid_image_url", /5 letters and 0 "="/],
  ["data:image/png;base64,AA=", "invalid_image_url", /2 letters and 1 "="/],
  ["data:image/png;base64,A=AA", "invalid_image_url", /"A" at its letter 3/],
  ["data:image/png;base64,AAA*", "invalid_image_url", /"\*" at its letter 4/],
  [`data:image/png;base64,${"A".repeat(80)}`, "image_too_large", /at most 50 bytes/],
])("%s: %s", (url, code, message) => {
  expect(() => decodeDataUrl(url, 50, "url")).toThrow(
    expect.objectContaining({ code, param: "url", message: expect.stringMatching(message) }),
  );
});
