/** Every golden set the reference computed, through a freshly converted model. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verify } from "../../lib/evaluate/src/verify/verify.ts";
import { openSession } from "../../lib/runtime/src/session/runtime.ts";
import { convertFixture, fixture, temporaryFolder } from "../support/converted.ts";

const stage4 = fixture("micro-stage4", "TinyGPT-V_for_Stage4.pth");
const modelSets = [
  { golden: "micro-stage4/golden.json", set: "micro-stage4", given: {} },
  {
    golden: "micro-stage4/golden-bin.json",
    set: "micro-stage4",
    given: { phi: fixture("micro-stage4", "phi-2-bin"), checkpoint: stage4 },
  },
  {
    golden: "micro-stage4-qformer/golden.json",
    set: "micro-stage4",
    given: { checkpoint: fixture("micro-stage4-qformer", "TinyGPT-V_for_Stage4.pth") },
  },
  {
    golden: "micro-stage3/golden.json",
    set: "micro-stage3",
    given: { checkpoint: fixture("micro-stage3", "TinyGPT-V_for_Stage3.pth") },
  },
  {
    golden: "micro-stage3/golden-stage1.json",
    set: "micro-stage3",
    given: { checkpoint: fixture("micro-stage3", "TinyGPT-V_for_Stage1.pth") },
  },
];

describe("golden data of the reference", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  beforeAll(async () => {
    folder = await temporaryFolder();
  });
  afterAll(() => folder.remove());

  it.each(modelSets)("$golden", async ({ golden, set, given }) => {
    const model = await convertFixture(set, join(folder.path, golden.replaceAll("/", "-")), given);
    const report = await verify({ golden: fixture(golden), model });
    expect(report.stages.filter(({ passed }) => !passed)).toEqual([]);
    expect(report.cases.filter(({ failed }) => failed > 0)).toEqual([]);
    expect(report.passed).toBeGreaterThan(5);
    expect(report.skipped).toEqual([]);
  });

  it.each(["preprocess/golden.json", "tokenizer/cases.json"])("%s", async (golden) => {
    const report = await verify({ golden: fixture(golden) });
    expect(report.stages.filter(({ passed }) => !passed)).toEqual([]);
    expect(report.cases.filter(({ failed }) => failed > 0)).toEqual([]);
    expect(report.passed).toBeGreaterThan(30);
  });

  it("has one graph in memory at a time", async () => {
    const model = await convertFixture("micro-stage4", join(folder.path, "one-at-a-time"));
    let open = 0;
    let most = 0;
    const report = await verify({
      golden: fixture("micro-stage4/golden.json"),
      model,
      async openSession(path, options) {
        const session = await openSession(path, options);
        most = Math.max(most, (open += 1));
        const release = async () => {
          open -= 1;
          await session.release();
        };
        return { ...session, release };
      },
    });
    expect(report.stages.map(({ stage }) => stage)).toContain("prompt0.hidden_states.1");
    expect({ most, open }).toEqual({ most: 1, open: 0 });
  });

  it("tells two models apart", async () => {
    const given = { checkpoint: fixture("micro-stage4-qformer", "TinyGPT-V_for_Stage4.pth") };
    const model = await convertFixture("micro-stage4", join(folder.path, "other"), given);
    const report = await verify({ golden: fixture("micro-stage4/golden.json"), model });
    const stages = new Map(report.stages.map((one) => [one.stage, one.passed]));
    expect(stages.get("vit.output")).toBe(true);
    expect(stages.get("qformer")).toBe(false);
    expect(report.failed).toBeGreaterThan(0);
  });
});
