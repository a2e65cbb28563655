import { expect, it } from "vitest";
import { chooseExecution } from "./execution.ts";

it.each(["cpu", "cuda"] as const)(
  "half precision is refused on %s, which has none",
  async (provider) => {
    await expect(chooseExecution(provider, "float16")).rejects.toMatchObject({
      code: "parameter",
      subject: "precision",
      message: `precision: want float32 or auto where the language model runs on the processor (provider ${provider}), got float16`,
    });
  },
);

it("what a processor does anyway may be asked for", async () => {
  expect(await chooseExecution("cpu", "float32")).toEqual({ provider: "cpu", reason: "asked for" });
});
