import sharp from "sharp";
import { TinyGptvError } from "@tinygptv/protocol";
import type { Box } from "@tinygptv/protocol";

/** Colours that are told apart on most pictures, one box after the other. */
const colours = ["#e6194b", "#3cb44b", "#4363d8", "#f58231", "#911eb4", "#008080"];

/**
 * Writes a copy of a picture with boxes and their phrases drawn on it; the
 * name's ending chooses the format. The picture is turned as it was for the
 * model: by its EXIF orientation for people, not at all as the reference.
 */
export async function drawBoxes(
  picture: Uint8Array,
  mode: "display" | "reference",
  boxes: readonly Box[],
  out: string,
): Promise<void> {
  const input = sharp(picture);
  if (mode === "display") input.autoOrient();
  const { data, info } = await input.png().toBuffer({ resolveWithObject: true });
  const overlay = Buffer.from(svgOf(boxes, info.width, info.height));
  await sharp(data)
    .composite([{ input: overlay }])
    .toFile(out)
    .catch((cause: Error) => {
      throw new TinyGptvError("io", `${out}: want to write a picture, got ${cause.message}`, {
        cause,
      });
    });
}

function svgOf(boxes: readonly Box[], width: number, height: number): string {
  const stroke = Math.max(1, Math.round(Math.max(width, height) / 200));
  const size = Math.max(10, Math.round(Math.max(width, height) / 32));
  const shapes = boxes.map(({ pixels: [x1, y1, x2, y2], phrase }, i) => {
    const colour = colours[i % colours.length];
    const rect = `<rect x="${x1}" y="${y1}" width="${x2 - x1}" height="${y2 - y1}" fill="none" stroke="${colour}" stroke-width="${stroke}"/>`;
    if (phrase === "") return rect;
    const baseline = y1 >= size ? y1 - stroke : y1 + size;
    // A white edge keeps the phrase readable on any picture.
    return `${rect}<text x="${x1}" y="${baseline}" font-family="sans-serif" font-size="${size}" fill="${colour}" stroke="#fff" stroke-width="${stroke * 2}" paint-order="stroke">${escapeXml(phrase)}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${shapes.join("")}</svg>`;
}

function escapeXml(text: string): string {
  return text.replace(/[<>&"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
