/** Pictures as the endpoint takes them: what it would refuse is turned, scaled and written anew before it is kept. */
import { TinyGptvError, acceptedFormats, sniffFormat } from "@tinygptv/protocol";

/** What every endpoint takes as it is (`lib/runtime/src/image/decode.ts`). */
const limits = { bytes: 20_000_000, pixels: 40_000_000, side: 65_535 };

/** Longest side of what is written anew; the model looks at 448 pixels at most. */
const longestSide = 2048;

/** Beyond this a browser runs out of memory while it decodes. */
const mostPixels = 250_000_000;
const mostBytes = 250_000_000;

export interface FittedPicture {
  bytes: Uint8Array<ArrayBuffer>;
  /** What was done to it, in words; undefined where it is the file, byte for byte. */
  change?: string;
}

/**
 * @param name of the file, for messages
 * @throws TinyGptvError "image" in a sentence for a person: what the browser cannot read, or what is beyond it
 */
export async function fitPicture(file: Blob, name: string): Promise<FittedPicture> {
  if (file.size > mostBytes)
    throw refused(`${name} has ${megabytes(file.size)} MB, which is too much for this page.`);
  const bytes = new Uint8Array(await file.arrayBuffer());
  const format = sniffFormat(bytes);
  const image = await load(bytes, name, format?.name);
  const { naturalWidth: width, naturalHeight: height } = image;
  const size = `${width} x ${height}`;
  if (width * height > mostPixels)
    throw refused(`${name} has ${size} pixels, more than a browser can scale. Make it smaller.`);
  const taken = format?.decoder !== undefined;
  const small =
    bytes.length <= limits.bytes &&
    width * height <= limits.pixels &&
    Math.max(width, height) <= limits.side;
  try {
    // Also of one that is kept as it is: a file cut off in the middle is told now.
    await image.decode();
  } catch (cause) {
    throw refused(`${name} is damaged, or more than this browser can decode.`, cause);
  }
  if (taken && small) return { bytes };
  const fitted = await drawn(image, format?.name, name);
  const reason = taken ? `${size} pixels, ${megabytes(bytes.length)} MB` : kindOf(bytes, file);
  return {
    bytes: fitted.bytes,
    change: `${name} (${reason}) was written anew as ${fitted.type} of ${fitted.width} x ${fitted.height} pixels; the model looks at 448 at most.`,
  };
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);

const refused = (message: string, cause?: unknown): TinyGptvError =>
  new TinyGptvError("image", message, { cause });

/** What a format is called where it is not one the endpoint takes. */
const kindOf = (bytes: Uint8Array, file: Blob): string =>
  sniffFormat(bytes)?.name ?? (/icon/.test(file.type) ? "icon" : "a format of its own");

/** Ways forward where the browser cannot read a format. */
const ways: Readonly<Record<string, string>> = {
  HEIC: "Export it as JPEG or PNG. An iPhone takes JPEG from the start under Settings, Camera, Formats, Most Compatible.",
  TIFF: "Export it as PNG or JPEG.",
  "JPEG XL": "Export it as PNG or JPEG.",
};

/** An `<img>` turns by EXIF, runs no scripts of an SVG and fetches nothing for it. */
async function load(
  bytes: Uint8Array<ArrayBuffer>,
  name: string,
  format: string | undefined,
): Promise<HTMLImageElement> {
  const type = format === "SVG" ? { type: "image/svg+xml" } : {};
  const address = URL.createObjectURL(new Blob([bytes], type));
  const image = new Image();
  try {
    await new Promise<void>((resolve, reject) => {
      image.onload = () => resolve();
      image.onerror = reject;
      image.src = address;
    });
    return image;
  } catch (cause) {
    const way = ways[format ?? ""];
    throw refused(
      way === undefined
        ? `${name} is no picture the browser can read. Use ${acceptedFormats.join(", ")}.`
        : `${name} is a ${format} picture, which this browser cannot read. ${way}`,
      cause,
    );
  } finally {
    // What is loaded stays; the address is needed no more once it has been decoded.
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  }
}

async function drawn(
  image: HTMLImageElement,
  format: string | undefined,
  name: string,
): Promise<{ bytes: Uint8Array<ArrayBuffer>; type: string; width: number; height: number }> {
  const longest = Math.max(image.naturalWidth, image.naturalHeight);
  // A drawing has no pixels of its own: it is drawn large enough for the model.
  const scale = format === "SVG" ? 1024 / longest : Math.min(1, longestSide / longest);
  const side = (natural: number): number => Math.max(1, Math.round(natural * scale));
  const canvas = document.createElement("canvas");
  canvas.width = side(image.naturalWidth);
  canvas.height = side(image.naturalHeight);
  const context = canvas.getContext("2d");
  if (context === null || !Number.isFinite(scale))
    throw refused(`${name} has no size, or the browser has no memory to draw it.`);
  if (format === "SVG") {
    context.fillStyle = "white"; // as on the page it is meant for
    context.fillRect(0, 0, canvas.width, canvas.height);
  }
  context.imageSmoothingQuality = "high";
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  const photo = format === "JPEG" || format === "HEIC";
  const blob = await new Promise<Blob | null>((resolve) => {
    // Throws where an SVG contains what a page must not read.
    canvas.toBlob(resolve, photo ? "image/jpeg" : "image/png", 0.95);
  }).catch((cause: unknown) => {
    throw refused(`${name} contains parts that a page must not read. Export it as PNG.`, cause);
  });
  if (blob === null)
    throw refused(`${name} could not be scaled: the browser has no memory for it.`);
  return {
    bytes: new Uint8Array(await blob.arrayBuffer()),
    type: photo ? "JPEG" : "PNG",
    width: canvas.width,
    height: canvas.height,
  };
}
