/** What a JPEG says before its pixels (ITU-T T.81, B.1 and B.2). */

interface Segment {
  marker: number;
  start: number;
  end: number;
}

/** The segments up to the first scan; none where it is no JPEG. */
function* segmentsOf(bytes: Uint8Array): Generator<Segment> {
  for (let start = 2; start + 4 <= bytes.length && bytes[start] === 0xff;) {
    const marker = bytes[start + 1]!;
    // Fill bytes stand before markers.
    if (marker === 0xff) {
      start += 1;
      continue;
    }
    const hasLength = marker !== 0x01 && !(marker >= 0xd0 && marker <= 0xd7);
    const end = start + 2 + (hasLength ? 256 * bytes[start + 2]! + bytes[start + 3]! : 0);
    yield { marker, start, end };
    if (marker === 0xda) return;
    start = end;
  }
}

/** Start of frame, of any coding; 0xc4, 0xc8 and 0xcc are tables. */
const isFrame = (marker: number): boolean =>
  marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);

/** Colour components, as the frame header has them; undefined where there is none. */
export function componentsOf(bytes: Uint8Array): number | undefined {
  for (const { marker, start } of segmentsOf(bytes)) if (isFrame(marker)) return bytes[start + 9];
  return undefined;
}

/** The file without its EXIF data, and so without the turn that viewers give it. */
export function withoutExif(bytes: Uint8Array): Uint8Array {
  const exif = [...segmentsOf(bytes)].filter(({ marker }) => marker === 0xe1);
  const kept = Uint8Array.from(bytes);
  // From the end, so that what is left of them stays where it is.
  let length = kept.length;
  for (const { start, end } of exif.toReversed()) {
    kept.copyWithin(start, end, length);
    length -= end - start;
  }
  return kept.subarray(0, length);
}
