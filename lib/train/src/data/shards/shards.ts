import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { z } from "zod";
import { clean } from "../cleaner.ts";
import { dataError, parseRecord, reporting, type Report } from "../mistakes.ts";
import { placeInShard } from "../picture.ts";
import { pick, type Random } from "../random.ts";
import { readRange } from "../range.ts";
import type { EndlessSet, Sample } from "../sample.ts";
import { isWholeTar, readTar, type TarEntry } from "./tar.ts";

/** A picture and its caption in a shard, by their common name. */
interface Pair {
  readonly key: string;
  readonly picture: TarEntry;
  readonly caption: TarEntry;
}

/** Which pair of which shard. */
const drawnSchema = z.tuple([z.int().min(0), z.int().min(0)]);
type Drawn = z.infer<typeof drawnSchema>;

const stateSchema = z.strictObject({
  shards: z.int(),
  /** The pair that is read next; null before the first. */
  next: drawnSchema.nullable(),
  /** Pairs that were read and not taken. */
  held: z.array(drawnSchema),
});

/** webdataset's `shuffle(1000)`: so many are held, and the first is taken when there are a hundred. */
const mostHeld = 1000;
const leastHeld = 100;
/** After so many useless pairs or empty shards in a row there is nothing to be found. */
const mostMissed = 1000;

/**
 * Captioned pictures in shards as img2dataset writes them: `00000.tar` with `KEY.jpg` and
 * `KEY.json`, whose `caption` is cleaned (or `KEY.txt`, where there is no JSON). As in the
 * reference, shards are drawn with replacement, pairs are shuffled in a buffer, and what lacks
 * picture or caption is left out.
 *
 * @param patterns a shard, a folder of them, or many as `{00000..01255}.tar`
 */
export async function openShards(patterns: readonly string[], report: Report): Promise<EndlessSet> {
  const paths = (await Promise.all(patterns.map(shardsOf))).flat();
  if (paths.length === 0) throw dataError(patterns.join(", "), "want shards, got none");
  for (const path of paths)
    await reporting(report, async () => {
      if (!(await isWholeTar(path)))
        throw dataError(path, "want a whole shard, got one without the end of an archive");
    });
  return new Shards(paths);
}

class Shards implements EndlessSet {
  readonly kind = "endless";
  readonly #paths: readonly string[];
  /** Of the shards that are in use. */
  readonly #pairs = new Map<number, readonly Pair[]>();
  #next: Drawn | null = null;
  #held: Drawn[] = [];

  constructor(paths: readonly string[]) {
    this.#paths = paths;
  }

  async next(random: Random): Promise<Sample> {
    for (let missed = 0; missed < mostMissed; missed++) {
      const sample = await this.#sample(await this.#draw(random));
      if (sample !== undefined) return sample;
    }
    throw dataError(
      this.#paths[0]!,
      `want captioned pictures, got ${mostMissed} without a caption`,
    );
  }

  state() {
    return { shards: this.#paths.length, next: this.#next, held: [...this.#held] };
  }

  async restore(state: unknown): Promise<void> {
    const { shards, next, held } = parseRecord(stateSchema, state, this.#paths[0]!);
    if (shards !== this.#paths.length)
      throw dataError(
        this.#paths[0]!,
        `want ${shards} shards, as when the state was saved, got ${this.#paths.length}`,
      );
    this.#next = next;
    this.#held = held;
    this.#pairs.clear();
  }

  /** As webdataset does it: two are read for one that is taken, until the buffer is full. */
  async #draw(random: Random): Promise<Drawn> {
    do {
      this.#held.push(await this.#read(random));
      if (this.#held.length < mostHeld) this.#held.push(await this.#read(random));
    } while (this.#held.length < leastHeld);
    const place = Math.floor(random() * this.#held.length);
    const drawn = this.#held[place]!;
    const last = this.#held.pop()!;
    if (place < this.#held.length) this.#held[place] = last;
    return drawn;
  }

  /** The pair after the one read before; after the last of a shard the first of a drawn one. */
  async #read(random: Random): Promise<Drawn> {
    for (let missed = 0; missed < mostMissed; missed++) {
      const [shard, number] = this.#next ?? [pick(random, [...this.#paths.keys()]), 0];
      const pairs = await this.#pairsOf(shard);
      this.#next = number + 1 < pairs.length ? [shard, number + 1] : null;
      if (number < pairs.length) return [shard, number];
    }
    throw dataError(
      this.#paths[0]!,
      `want captioned pictures, got ${mostMissed} shards without any`,
    );
  }

  async #pairsOf(shard: number): Promise<readonly Pair[]> {
    const known = this.#pairs.get(shard);
    if (known) return known;
    const inUse = new Set(this.#held.map(([one]) => one));
    for (const one of this.#pairs.keys()) if (!inUse.has(one)) this.#pairs.delete(one);
    const pairs = pairsIn(await readTar(this.#paths[shard]!));
    this.#pairs.set(shard, pairs);
    return pairs;
  }

  async #sample([shard, number]: Drawn): Promise<Sample | undefined> {
    const path = this.#paths[shard]!;
    const { key, picture, caption } = (await this.#pairsOf(shard))[number]!;
    const text = captionIn(caption, (await readRange(path, caption.at, caption.bytes)).toString());
    if (text === undefined) return undefined;
    return {
      place: `${basename(path)}/${key}`,
      picture: placeInShard(path, picture),
      rounds: [{ instruction: undefined, answer: clean(text) }],
    };
  }
}

async function shardsOf(pattern: string): Promise<string[]> {
  const isFolder = await stat(pattern).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) return expand(pattern);
  const names = (await readdir(pattern)).filter((name) => name.endsWith(".tar")).toSorted();
  if (names.length === 0) throw dataError(pattern, "want shards (.tar), got none");
  return names.map((name) => join(pattern, name));
}

/** `{00000..01255}` as a shell would have it. */
function expand(pattern: string): string[] {
  const range = /\{(\d+)\.\.(\d+)\}/.exec(pattern);
  if (!range) return [pattern];
  const [whole, from, to] = range as unknown as [string, string, string];
  const first = Number(from);
  return Array.from({ length: Math.max(0, Number(to) - first + 1) }, (_, i) =>
    pattern.replace(whole, String(first + i).padStart(from.length, "0")),
  ).flatMap(expand);
}

/** Files that follow one another with the same name up to its first dot belong together. */
function pairsIn(entries: readonly TarEntry[]): Pair[] {
  const samples: { key: string; files: Map<string, TarEntry> }[] = [];
  for (const entry of entries) {
    const [, key, extension] = /^((?:.*\/)?[^./]+)\.([^/]*)$/.exec(entry.name) ?? [];
    if (key === undefined || extension === undefined) continue;
    if (samples.at(-1)?.key !== key) samples.push({ key, files: new Map() });
    samples.at(-1)!.files.set(extension.toLowerCase(), entry);
  }
  return samples.flatMap(({ key, files }) => {
    const picture = files.get("jpg");
    const caption = files.get("json") ?? files.get("txt");
    return picture && caption ? [{ key, picture, caption }] : [];
  });
}

const metadata = z.object({ caption: z.string() });

/** What a caption's file says; undefined where it says nothing. */
function captionIn({ name }: TarEntry, text: string): string | undefined {
  if (!name.toLowerCase().endsWith(".json")) return text;
  try {
    return metadata.safeParse(JSON.parse(text)).data?.caption;
  } catch {
    return undefined;
  }
}
