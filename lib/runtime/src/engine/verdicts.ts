/** Verdicts of the self-test, kept so that it need not run again. */
import { z } from "zod";
import type { Verdict } from "../session/selfTest.ts";

const verdictSchema = z.object({
  forms: z.array(
    z.object({
      attention: z.enum(["inPlace", "grouped"]),
      precision: z.enum(["float32", "float16"]),
    }),
  ),
  findings: z.array(
    z.object({
      what: z.string(),
      passed: z.boolean(),
      got: z.union([z.number(), z.string()]),
    }),
  ),
  speed: z.number(),
}) satisfies z.ZodType<Verdict>;

/** A place for one verdict, found by all that it may depend on. */
export interface VerdictShelf {
  /** @throws where there is none */
  read(): Promise<string>;
  /** @throws where there is no room */
  keep(text: string): Promise<void>;
}

/** A verdict from an earlier time, or a new one, which is kept if it is good and there is a place for it. */
export async function keptVerdict(
  { read, keep }: VerdictShelf,
  test: () => Promise<Verdict>,
): Promise<Verdict> {
  const kept = await read()
    .then((text) => verdictSchema.parse(JSON.parse(text)))
    .catch(() => undefined); // none, or of another form: then it is made again
  if (kept) return kept;
  const verdict = await test();
  // What failed may be mended by the next start: a driver installed, memory free again.
  if (verdict.forms.length > 0) await keep(JSON.stringify(verdict)).catch(() => {}); // no place costs the next start some seconds
  return verdict;
}
