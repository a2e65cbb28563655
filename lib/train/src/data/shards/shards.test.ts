import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openDataSet } from "../dataSets.ts";
import type { Example } from "../example.ts";
import { openMixture } from "../mixture.ts";
import { readPicture } from "../picture.ts";
import { fixture } from "../testing/fixtures.ts";
import { stageWordings } from "../wording.ts";

const shards = fixture("laion/laion_dataset/{00000..00001}.tar");
const laion = (data = shards, batchSize = 2) =>
  ({
    name: "laion",
    format: "laion",
    data,
    ratio: 1,
    batchSize,
    wording: stageWordings[1],
  }) as const;

async function take(specs: Parameters<typeof openMixture>[0], steps: number): Promise<Example[]> {
  const mixture = await openMixture(specs, 42);
  const examples: Example[] = [];
  for (let i = 0; i < steps; i++) examples.push(...(await mixture.next()));
  return examples;
}

test("captioned pictures out of shards: captions cleaned, what lacks either is left out", async () => {
  const examples = await take([laion()], 50);
  const answers = new Map(examples.map(({ place, rounds: [round] }) => [place, round?.answer]));
  expect(Object.fromEntries(answers)).toEqual({
    "00000.tar/000000000": "a red square plain",
    "00000.tar/000000002": "a blue square",
    "00001.tar/000010000": "blue, by its text",
    [`00001.tar/${"ü".repeat(60)}`]: "a long name",
  });
  expect(examples[0]).toMatchObject({
    rounds: [{ prompt: "<ImageHere>" }],
    endSymbol: "\n",
    maxAnswerTokens: 32,
  });
});

test("a picture in a shard is read by its place in it", async () => {
  const red = await readFile(fixture("coco/train2014/COCO_train2014_000000000009.jpg"));
  const examples = await take([laion(), { ...laion(fixture("laion/gnu.tar")), name: "gnu" }], 50);
  for (const name of [
    "00000.tar/000000000",
    `00001.tar/${"ü".repeat(60)}`,
    `gnu.tar/a/${"b".repeat(120)}/1`,
  ]) {
    const { picture } = examples.find(({ place }) => place === name)!;
    expect(Buffer.from(await readPicture(picture!))).toEqual(red);
  }
  expect(Buffer.from(await readPicture(fixture("own/rows/red.png"))).length).toBe(94);
  await expect(readPicture(fixture("own/rows/green.png"))).rejects.toThrow(
    "green.png: want a picture, got no such file",
  );
});

test("as webdataset does it, a hundred pairs are read before the first is taken, and a thousand are held", async () => {
  const mixture = await openMixture([laion(shards, 1)], 42);
  const held = () => (mixture.state().sets["laion"]!.at as { held: unknown[] }).held.length;
  const seen: number[] = [];
  for (let i = 0; i < 1000; i++) {
    await mixture.next();
    seen.push(held());
  }
  // Pairs without a caption are drawn as well, so that a step may take more than one.
  expect(seen[0]).toBeGreaterThanOrEqual(99);
  expect(seen[0]).toBeLessThan(105);
  expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  expect(seen.at(-1)).toBe(999);
});

test("shards are drawn with replacement: both come, with all of their pairs", async () => {
  const examples = await take([laion(shards, 1)], 2000);
  const counts = new Map<string, number>();
  for (const { place } of examples) counts.set(place, (counts.get(place) ?? 0) + 1);
  // Each shard has two good pairs, so each pair is about a quarter.
  for (const count of counts.values()) expect(Math.abs(count / 2000 - 0.25)).toBeLessThan(0.05);
});

test("what was stopped goes on as if it had not been", async () => {
  const specs = [laion(shards, 3), { ...laion(fixture("laion/gnu.tar")), name: "gnu" }];
  const whole = await openMixture(specs, 42);
  for (let i = 0; i < 37; i++) await whole.next();
  const state: unknown = JSON.parse(JSON.stringify(whole.state()));
  const resumed = await openMixture(specs, 42);
  await resumed.restore(state);
  for (let i = 0; i < 400; i++) expect(await resumed.next()).toEqual(await whole.next());
});

test("folders, patterns and single shards", async () => {
  const places = async (data: string) =>
    new Set((await take([laion(data)], 20)).map(({ place }) => place));
  expect((await places(fixture("laion/laion_dataset"))).size).toBe(4);
  expect((await places(fixture("laion/laion_dataset/00000.tar"))).size).toBe(2);
  await expect(places(fixture("laion/laion_dataset/{00000..00002}.tar"))).rejects.toThrow(
    /00002\.tar: want a shard, got no such file$/,
  );
  await expect(places(fixture("coco"))).rejects.toThrow("want shards (.tar), got none");
});

test("shards that are damaged, cut short or without captions are refused", async () => {
  const folder = await mkdtemp(join(tmpdir(), "shards-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const whole = await readFile(fixture("laion/laion_dataset/00000.tar"));
  const write = async (name: string, bytes: Uint8Array) => {
    await writeFile(join(folder, name), bytes);
    return laion(join(folder, name));
  };
  const cut = await write("cut.tar", whole.subarray(0, 2048));
  await expect(openDataSet(cut)).rejects.toThrow("cut.tar: want a whole shard");
  const damaged = await write("damaged.tar", Buffer.from(whole).fill(1, 10, 20));
  await expect(take([damaged], 1)).rejects.toThrow(
    "damaged.tar: want the header of a file at byte 0, got other bytes",
  );
  const empty = await write("empty.tar", Buffer.alloc(10_240));
  await expect(take([empty], 1)).rejects.toThrow(
    "empty.tar: want captioned pictures, got 1000 shards without any",
  );
});
