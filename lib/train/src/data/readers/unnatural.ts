import { z } from "zod";
import { clean } from "../cleaner.ts";
import { jsonEntries } from "../jsonRecords.ts";
import { listRecords } from "../listed.ts";
import { parseRecord, type Report } from "../mistakes.ts";
import type { ListedSet } from "../sample.ts";

const instance = z.object({
  instruction_with_input: z.string(),
  constraints: z.string().nullish(),
  output: z.string(),
});
/** What further instances a record has is not taken. */
const record = z.object({ instances: z.tuple([instance], instance) });

/** `filtered_unnatural_instruction.json`: words alone, both sides cleaned. */
export function openUnnatural(
  data: string,
  _images: string | undefined,
  report: Report,
): Promise<ListedSet> {
  return listRecords(
    jsonEntries(data, "annotations"),
    {
      items(value, place) {
        const { instances } = parseRecord(record, value, place);
        const { instruction_with_input, constraints, output } = instances[0];
        const asked =
          typeof constraints === "string"
            ? `${instruction_with_input} ${constraints}`
            : instruction_with_input;
        return [{ instruction: clean(asked), answer: clean(output) }];
      },
      sample: (round) => ({ picture: undefined, rounds: [round] }),
    },
    report,
  );
}
