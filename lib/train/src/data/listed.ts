import type { RecordFile } from "./jsonRecords.ts";
import { dataError, reporting, type Report } from "./mistakes.ts";
import type { Random } from "./random.ts";
import { readRange } from "./range.ts";
import type { ListedSet, Round } from "./sample.ts";

/** How the records of a format become samples. */
export interface Format<Item> {
  /**
   * What of a record is learnt: nothing, one thing or many. Always the same for the same record.
   * @throws TinyGptvError "data": the record is wrong
   */
  items(record: unknown, place: string): readonly Item[] | Promise<readonly Item[]>;
  /** One item as it is put to the model this time. */
  sample(item: Item, random: Random): { picture: string | undefined; rounds: readonly Round[] };
}

/**
 * A file of records as a set. All of it is read and checked once; all that is kept of
 * a record is where it stands, since annotations may take gigabytes.
 */
export async function listRecords<Item>(
  file: RecordFile,
  format: Format<Item>,
  report: Report,
): Promise<ListedSet> {
  const records: { at: number; bytes: number; number: number; firstItem: number }[] = [];
  let length = 0;
  const read = async (text: string, number: number) =>
    format.items(file.parse(text, number), file.place(number));
  await reporting(report, async () => {
    for await (const { text, at, bytes, number } of file.read()) {
      const items = await reporting(report, () => read(text, number));
      if (items === undefined || items.length === 0) continue;
      records.push({ at, bytes, number, firstItem: length });
      length += items.length;
    }
  });
  return {
    kind: "listed",
    length,
    async sample(index, random) {
      const record = records[lastAtOrBefore(records, index)]!;
      const text = (await readRange(file.path, record.at, record.bytes)).toString();
      const items = await read(text, record.number);
      const item = items[index - record.firstItem];
      const place = file.place(record.number);
      if (item === undefined)
        throw dataError(place, "want the record as it was, got another: the file has changed");
      return { place, ...format.sample(item, random) };
    },
  };
}

/** The place of the last record whose first item is not after `index`. */
function lastAtOrBefore(records: readonly { firstItem: number }[], index: number): number {
  let low = 0;
  let high = records.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (records[middle]!.firstItem <= index) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Items that are in memory as a set. */
export function listItems<Item>(
  items: readonly (Item & { readonly place: string })[],
  sample: Format<Item>["sample"],
): ListedSet {
  return {
    kind: "listed",
    length: items.length,
    async sample(index, random) {
      const item = items[index]!;
      return { place: item.place, ...sample(item, random) };
    },
  };
}

/** Several sets, one after the other. */
export function joined(sets: readonly ListedSet[]): ListedSet {
  const [only] = sets;
  if (sets.length === 1) return only!;
  return {
    kind: "listed",
    length: sets.reduce((sum, { length }) => sum + length, 0),
    sample(index, random) {
      let left = index;
      const set = sets.find(({ length }) => {
        if (left < length) return true;
        left -= length;
        return false;
      });
      return set!.sample(left, random);
    },
  };
}
