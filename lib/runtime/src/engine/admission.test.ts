import { describe, expect, it } from "vitest";
import { createAdmission } from "./admission.ts";

/** Enters for clients in order; says who is inside. */
function doors(places: number, queueLimit: number) {
  const admission = createAdmission(places, queueLimit);
  const inside: { name: string; leave: () => void }[] = [];
  const enter = async (client: string, name = client, rows = 1, signal?: AbortSignal) => {
    const leave = await admission.enter({ client, rows, signal });
    inside.push({ name, leave });
  };
  const settle = () => new Promise(setImmediate);
  return {
    admission,
    enter,
    settle,
    names: () => inside.map(({ name }) => name),
    async leave(name: string) {
      const [one] = inside.splice(
        inside.findIndex((entry) => entry.name === name),
        1,
      );
      one!.leave();
      await settle();
    },
  };
}

describe("clients", () => {
  it("one who has nothing is let in beside one who has all, and both take turns after that", async () => {
    const { enter, settle, names, leave } = doors(2, 10);
    for (let i = 1; i <= 6; i++) void enter("a", `a${i}`);
    await settle();
    expect(names()).toEqual(["a1", "a2"]);
    void enter("b", "b1");
    void enter("b", "b2");
    await settle();
    expect(names()).toEqual(["a1", "a2", "b1"]);
    await leave("a1");
    expect(names()).toEqual(["a2", "b1"]); // as many as there are places
    await leave("a2");
    await leave("b1");
    expect(names()).toContain("b2");
    expect(names()).toContain("a3");
  });

  it("have lines of their own: one's full line is not another's", async () => {
    const { admission, enter, settle } = doors(1, 2);
    for (const name of ["a1", "a2", "a3"]) void enter("a", name);
    await settle();
    expect([admission.accepts("a"), admission.accepts("b")]).toEqual([false, true]);
    await expect(enter("a")).rejects.toMatchObject({ code: "busy" });
    expect([admission.running, admission.queued]).toEqual([1, 2]);
  });

  it("cannot fill the memory together", async () => {
    const { admission, enter } = doors(1, 2);
    const outcomes = await Promise.allSettled(
      Array.from({ length: 40 }, (_, i) =>
        Promise.race([enter(`client ${i}`), new Promise((resolve) => setImmediate(resolve))]),
      ),
    );
    expect(admission.queued).toBe(8);
    expect(outcomes.filter(({ status }) => status === "rejected")).toHaveLength(40 - 8 - 2);
  });
});

it("counts the rows of a forward pass, and lets nobody overtake who needs many", async () => {
  const { enter, settle, names, leave } = doors(4, 10);
  void enter("a", "a1");
  void enter("a", "beams", 4);
  void enter("a", "a2");
  await settle();
  expect(names()).toEqual(["a1"]);
  await leave("a1");
  expect(names()).toEqual(["beams"]);
  await leave("beams");
  expect(names()).toEqual(["a2"]);
});

it("who gives up makes room for those behind him", async () => {
  const { admission, enter, settle, names } = doors(4, 10);
  const given = new AbortController();
  void enter("a", "a1");
  const beams = enter("a", "beams", 4, given.signal);
  void enter("a", "a2");
  await settle();
  given.abort();
  await expect(beams).rejects.toMatchObject({ code: "aborted" });
  await settle();
  expect(names()).toEqual(["a1", "a2"]);
  expect(admission.queued).toBe(0);
});
