import { expect, onTestFinished, test } from "vitest";
import { createByteBudget } from "./byteBudget.ts";
import { startLifetime } from "./lifetime.ts";

const start = () => {
  const caller = new AbortController();
  const life = startLifetime(() => caller.signal, 10_000);
  // Else it ends, and who waits in it is refused, while another file's tests run in this process.
  onTestFinished(() => life.end());
  return { ...life, signal: life.signal, leave: () => caller.abort() };
};
const budget = (options = {}) =>
  createByteBudget({ bytes: 100, bytesPerCaller: 100, line: 2, of: "pictures", ...options });

/** Whether it is granted at once. */
async function isGranted(taken: Promise<unknown>): Promise<boolean> {
  const later = new Promise((resolve) => setTimeout(resolve, 5, false));
  return (
    (await Promise.race([
      taken.then(
        () => true,
        () => false,
      ),
      later,
    ])) === true
  );
}

test("who finds no room waits until another's end", async () => {
  const room = budget();
  const [first, second] = [start(), start()];
  await room.take(70, "a", first);
  const waiting = room.take(40, "a", second);
  expect(await isGranted(waiting)).toBe(false);
  first.end();
  expect(await isGranted(waiting)).toBe(true);
});

test("what turned out smaller makes room at once", async () => {
  const room = budget();
  const keep = await room.take(90, "a", start());
  const waiting = room.take(40, "a", start());
  keep(50);
  expect(await isGranted(waiting)).toBe(true);
});

test("a share of the room is a caller's own", async () => {
  const room = budget({ bytesPerCaller: 50 });
  await room.take(50, "greedy", start());
  const more = room.take(10, "greedy", start());
  expect(await isGranted(room.take(50, "other", start()))).toBe(true);
  expect(await isGranted(more)).toBe(false);
});

test("nobody small overtakes who waits for the room of all", async () => {
  const room = budget();
  await room.take(70, "a", start());
  const large = room.take(60, "b", start());
  expect(await isGranted(room.take(10, "c", start()))).toBe(false);
  expect(await isGranted(large)).toBe(false);
});

test("one request alone fits, however large", async () => {
  expect(await isGranted(budget().take(1000, "a", start()))).toBe(true);
});

test("the line has an end, and who leaves it makes place", async () => {
  const room = budget();
  await room.take(100, "a", start());
  const leaving = start();
  const given = room.take(1, "a", leaving);
  const staying = room.take(1, "a", start());
  await expect(room.take(1, "a", start())).rejects.toMatchObject({
    code: "queue_full",
    message: "the server is busy: 2 requests wait for room for their pictures",
  });
  leaving.leave();
  await expect(given).rejects.toMatchObject({ code: "aborted" });
  expect(await isGranted(room.take(1, "a", start()))).toBe(false);
  expect(await isGranted(staying)).toBe(false);
});

test("one caller's line leaves the others theirs", async () => {
  const room = budget();
  const greedy = start();
  await room.take(100, "greedy", greedy);
  const line = [10, 10].map((bytes) => room.take(bytes, "greedy", start()));
  await expect(room.take(10, "greedy", start())).rejects.toThrow("busy");
  const other = room.take(10, "other", start());
  greedy.end();
  for (const waiting of [...line, other]) expect(await isGranted(waiting)).toBe(true);
});
