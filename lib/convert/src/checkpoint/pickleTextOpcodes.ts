import type { PickleMachine } from "./pickleMachine.ts";
import { setItems } from "./pickleOpcodes.ts";

/**
 * What pickles of protocol 0, Python 2's own choice, have beside the opcodes of later ones:
 * values written as lines of text (CPython's Lib/pickletools.py).
 */
export const textOpcodes: ReadonlyMap<number, (machine: PickleMachine) => void> = new Map([
  /* PROTO   */ [0x80, requireProtocol],
  /* INT     */ [0x49, (m) => m.push(toInt(m))],
  /* LONG    */ [0x4c, (m) => m.push(toNumber(m, m.cursor.latin1Line().replace(/L$/, "")))],
  /* FLOAT   */ [0x46, (m) => m.push(toNumber(m, m.cursor.latin1Line()))],
  /* STRING  */ [0x53, (m) => m.push(toText(m))],
  /* UNICODE */ [0x56, (m) => m.push(fromRawUnicode(m.cursor.latin1Line()))],
  /* LIST    */ [0x6c, (m) => m.pushObject(m.popMark())],
  /* DICT    */ [0x64, pushDict],
  /* PUT     */ [0x70, (m) => m.remember(toNumber(m, m.cursor.latin1Line()))],
  /* GET     */ [0x67, (m) => m.recall(toNumber(m, m.cursor.latin1Line()))],
  /* DUP     */ [0x32, (m) => m.push(m.top())],
]);

function requireProtocol(machine: PickleMachine): void {
  const protocol = machine.cursor.u8();
  if (protocol > 5) throw machine.cursor.error(`want protocol 5 at most, got ${protocol}`);
}

/** `01` and `00` are how protocol 0 writes true and false. */
function toInt(machine: PickleMachine): number | boolean {
  const line = machine.cursor.latin1Line();
  if (line === "01" || line === "00") return line === "01";
  return toNumber(machine, line);
}

function toNumber(machine: PickleMachine, line: string): number {
  const number = Number(line);
  if (line.trim() === "" || Number.isNaN(number))
    throw machine.cursor.error(`want a number, got ${JSON.stringify(line.slice(0, 40))}`);
  return number;
}

function pushDict(machine: PickleMachine): void {
  const items = machine.popMark();
  machine.pushObject(new Map());
  setItems(machine, items);
}

const escapes: Readonly<Record<string, string>> = {
  "\\": "\\",
  "'": "'",
  '"': '"',
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\n": "",
};

/** A string of Python 2 as its source would have it: quoted, bytes beyond ASCII escaped; read as UTF-8. */
function toText(machine: PickleMachine): string {
  const line = machine.cursor.latin1Line();
  const quoted = /^(['"])(.*)\1$/s.exec(line)?.[2];
  if (quoted === undefined) throw machine.cursor.error("want a quoted string");
  const bytes = quoted.replaceAll(
    /\\(?:x([0-9a-fA-F]{2})|([0-7]{1,3})|(.))/gs,
    (whole, hex?: string, octal?: string, letter?: string) => {
      if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
      if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8) & 0xff);
      return escapes[letter!] ?? whole;
    },
  );
  return Buffer.from(bytes, "latin1").toString();
}

/** A character a byte, all others as `\uXXXX` or `\UXXXXXXXX`; nothing else is escaped. */
function fromRawUnicode(line: string): string {
  return line.replaceAll(
    /\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})/g,
    (whole, short?: string, long?: string) => {
      const code = Number.parseInt((short ?? long)!, 16);
      return code > 0x10_ffff ? whole : String.fromCodePoint(code);
    },
  );
}
