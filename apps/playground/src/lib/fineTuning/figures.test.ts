import { describe, expect, it } from "vitest";
import type { FineTuningEvent } from "@tinygptv/protocol/http";
import { courseOf, figureTable } from "./figures.ts";

const event = (data: NonNullable<FineTuningEvent["data"]>): FineTuningEvent => ({
  id: "ftevent-1",
  object: "fine_tuning.job.event",
  created_at: 0,
  level: "info",
  message: "",
  type: "metrics",
  data,
});
const step = (number: number, loss: number) => event({ step: number, train_loss: loss });
const asked = (number: number, right: number) =>
  event({
    step: number,
    evaluations: [{ name: "validation_data", loss: 1, right, examples: 4 }],
  });

describe("the course of a training", () => {
  it("has a figure where it was asked, with the mean loss since the one before", () => {
    const { figures } = courseOf([asked(0, 0), step(1, 4), step(2, 2), asked(2, 1), step(3, 1)]);
    expect(figures).toEqual([
      { step: 0, heldOut: 0 },
      { step: 2, loss: 3, heldOut: 1 },
      { step: 3, loss: 1 },
    ]);
    expect(figureTable(figures)).toEqual({
      columns: ["Step", "Loss", "Held-out answers right"],
      rows: [
        ["0", "", "0"],
        ["2", "3", "1"],
        ["3", "1", ""],
      ],
    });
  });

  it("forgets steps that are done again after a stop", () => {
    const { losses, figures } = courseOf([
      event({ from: 0 }),
      step(1, 4),
      step(2, 3),
      asked(2, 1),
      step(3, 9),
      event({ from: 1 }),
      step(2, 2),
    ]);
    expect(losses).toEqual([
      { step: 1, loss: 4 },
      { step: 2, loss: 2 },
    ]);
    expect(figures).toEqual([{ step: 2, loss: 3 }]);
  });
});
