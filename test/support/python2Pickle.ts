/** Plain data in pickles as Python 2 writes them, whose strings are bytes. */
export type PlainData = number | string | readonly PlainData[] | ReadonlyMap<string, PlainData>;

/** A dict. */
export const dict = (items: Readonly<Record<string, PlainData>>): ReadonlyMap<string, PlainData> =>
  new Map(Object.entries(items));

/** @param protocol 0 is Python 2's default, in lines of text; 2 is in bytes */
export function pickleOfPython2(value: PlainData, protocol: 0 | 2): Buffer {
  const parts: (string | Buffer)[] = protocol === 2 ? [Buffer.from([0x80, 2])] : [];
  let remembered = 0;
  const say = protocol === 2 ? inBytes : inText;
  say(value);
  parts.push(".");
  return Buffer.concat(
    parts.map((part) => (typeof part === "string" ? Buffer.from(part, "latin1") : part)),
  );

  function inText(item: PlainData): void {
    if (typeof item === "number") parts.push(`I${item}\n`);
    else if (typeof item === "string") parts.push(`S${repr(item)}\np${remembered++}\n`);
    else if (isList(item)) {
      parts.push(`(lp${remembered++}\n`);
      for (const one of item) {
        inText(one);
        parts.push("a");
      }
    } else {
      parts.push(`(dp${remembered++}\n`);
      for (const [key, one] of item) {
        inText(key);
        inText(one);
        parts.push("s");
      }
    }
  }

  function inBytes(item: PlainData): void {
    if (typeof item === "number") parts.push("J", int32(item));
    else if (typeof item === "string") {
      const bytes = Buffer.from(item);
      parts.push("U", Buffer.from([bytes.length]), bytes);
      remember();
    } else {
      parts.push(isList(item) ? "]" : "}");
      remember();
      parts.push("(");
      if (isList(item)) item.forEach(inBytes);
      else for (const pair of item) pair.forEach(inBytes);
      parts.push(isList(item) ? "e" : "u");
    }
  }

  function remember(): void {
    parts.push("r", int32(remembered++));
  }
}

const isList = (item: PlainData): item is readonly PlainData[] => Array.isArray(item);

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

/** As Python 2 shows a string: bytes beyond ASCII as `\xhh`. */
function repr(text: string): string {
  const escaped = [...Buffer.from(text)].map((byte) => {
    if (byte === 0x5c) return "\\\\";
    if (byte === 0x27) return "\\'";
    if (byte === 0x0a) return "\\n";
    return byte < 0x20 || byte > 0x7e
      ? `\\x${byte.toString(16).padStart(2, "0")}`
      : String.fromCharCode(byte);
  });
  return `'${escaped.join("")}'`;
}
