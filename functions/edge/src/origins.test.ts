import { beforeEach, describe, expect, it } from "vitest";
import { createOrigins, serves, type Origins } from "./origins.ts";

const configs = [{ url: "http://a" }, { url: "http://b" }, { url: "http://c", models: ["nano"] }];

describe("createOrigins", () => {
  let now = 0;
  let ready: Record<string, boolean>;
  let asked: string[];
  let origins: Origins;
  beforeEach(() => {
    now = 1_000_000;
    ready = { "http://a": true, "http://b": true, "http://c": true };
    asked = [];
    origins = createOrigins(configs, {
      now: () => now,
      healthIntervalMs: 10_000,
      readyTimeoutMs: 3000,
      async fetch(input) {
        const { origin, pathname } = new URL(String(input));
        asked.push(origin + pathname);
        if (ready[origin] === undefined) throw new TypeError("fetch failed");
        return new Response(null, { status: ready[origin] ? 200 : 503 });
      },
    });
  });
  const names = (...models: string[]) => origins.candidates(models).map(({ url }) => url.at(-1));
  const named = (name: string) => origins.all.find(({ url }) => url.endsWith(name))!;

  it("puts those with the least to do first, and takes turns among equals", () => {
    expect([names("full"), names("full")]).toEqual(
      [
        ["b", "a"],
        ["a", "b"],
      ].toSorted(),
    );
    named("a").inFlight = 2;
    named("b").inFlight = 1;
    expect([names(), names()]).toEqual([
      ["c", "b", "a"],
      ["c", "b", "a"],
    ]);
  });

  it("puts one that failed last, for longer each time, up to half a minute", () => {
    const pauses: number[] = [];
    for (let count = 0; count < 8; count++) {
      origins.failed(named("c"));
      pauses.push(named("c").avoidUntil - now);
      expect(names("nano").at(-1)).toBe("c");
      now = named("c").avoidUntil;
      named("a").inFlight = named("b").inFlight = 1;
      expect(names("nano")[0]).toBe("c");
    }
    expect(pauses).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
    origins.succeeded(named("c"));
    origins.failed(named("c"));
    expect(named("c").avoidUntil - now).toBe(1000);
  });

  it("avoids one that is busy for as long as it says, within reason, and asks it if there is no other", () => {
    origins.busy(named("a"), 5);
    origins.busy(named("b"), 3600);
    expect(names("full")).toEqual(["a", "b"]);
    now += 30_000;
    expect(names("full").length).toBe(2);
    expect(named("b").avoidUntil).toBeLessThanOrEqual(now);
  });

  it("asks all whether they are ready, once an interval", async () => {
    await origins.check();
    await origins.check();
    expect(asked.toSorted()).toEqual(["http://a/ready", "http://b/ready", "http://c/ready"]);
    now += 10_000;
    ready = { "http://a": false };
    await origins.check();
    expect(asked.length).toBe(6);
    expect(origins.all.map(({ failures }) => failures)).toEqual([1, 1, 1]);
    now += 10_000;
    ready = { "http://a": true, "http://b": false };
    await origins.check();
    expect(origins.all.map(({ failures }) => failures)).toEqual([0, 2, 2]);
    expect(names("full")[0]).toBe("a");
  });
});

it.each([
  [undefined, "anything", true],
  [["nano"], "nano", true],
  [["nano"], "nano:int4", true],
  [["nano:int4"], "nano:int4", true],
  [["nano:int4"], "nano", true],
  [["nano:int4"], "nano:int8", false],
  [["nano"], "nanotube", false],
  [["nano:int4"], "nano:int4+greetings", true],
  [["nano"], "nano+greetings", true],
  [["nano:int4+greetings"], "nano:int4+greetings", true],
  [["nano:int4+greetings"], "nano:int4", false],
])("an origin of %j serves %s: %s", (models, model, expected) => {
  expect(serves({ url: "http://a", models }, model)).toBe(expected);
});
