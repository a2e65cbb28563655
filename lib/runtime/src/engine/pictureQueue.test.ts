import { expect, it } from "vitest";
import { createPictureQueue } from "./pictureQueue.ts";

const megabyte = 2 ** 20;

/** A queue over pictures that take what their first byte says, in megabytes, and are decoded when the test says so. */
function pictures() {
  const decoding: { name: string; finish: () => void }[] = [];
  const readSquare = createPictureQueue(async (bytes) => ({
    cost: bytes[0]! * 4 * megabyte,
    async decode() {
      const { promise, resolve } = Promise.withResolvers<void>();
      decoding.push({ name: String.fromCharCode(bytes[1]!), finish: resolve });
      await promise;
      return { width: 1, height: 1, rgb: new Uint8Array(3), original: { width: 1, height: 1 } };
    },
  }));
  const settle = () => new Promise(setImmediate);
  return {
    async open(client: string, name: string, megabytes: number, signal?: AbortSignal) {
      const bytes = Uint8Array.of(megabytes / 4, name.charCodeAt(0));
      await readSquare(bytes, 1, { mode: "display", client, signal });
      return name;
    },
    async names() {
      await settle();
      return decoding.map(({ name }) => name).join("");
    },
    async finish(name: string) {
      const at = decoding.findIndex((one) => one.name === name);
      decoding.splice(at, 1)[0]!.finish();
      await settle();
    },
  };
}

it("decodes few of one client at once, and a large one alone", async () => {
  const { open, names, finish } = pictures();
  const all = [open("a", "1", 4), open("a", "2", 4), open("a", "3", 400), open("a", "4", 4)];
  expect(await names()).toBe("12");
  await finish("1");
  expect(await names()).toBe("2");
  await finish("2");
  expect(await names()).toBe("3");
  await finish("3");
  expect(await names()).toBe("4");
  await finish("4");
  expect(await Promise.all(all)).toEqual(["1", "2", "3", "4"]);
});

it("does not let one client's pictures stand before another's", async () => {
  const { open, names, finish } = pictures();
  const many = Array.from({ length: 8 }, (_, i) => open("many", String(i), 400));
  expect(await names()).toBe("0");
  const one = open("one", "x", 12);
  expect(await names()).toBe("0x");
  await finish("x");
  expect(await one).toBe("x");
  for (let i = 0; i < 8; i++) {
    expect(await names()).toBe(String(i));
    await finish(String(i));
  }
  await Promise.all(many);
});

it("forgets who gives up while he waits", async () => {
  const { open, names, finish } = pictures();
  const given = new AbortController();
  const first = open("a", "1", 400);
  const second = open("a", "2", 400, given.signal);
  const third = open("a", "3", 400);
  expect(await names()).toBe("1");
  given.abort();
  await expect(second).rejects.toMatchObject({ code: "aborted" });
  await finish("1");
  expect(await names()).toBe("3");
  await finish("3");
  await Promise.all([first, third]);
});
