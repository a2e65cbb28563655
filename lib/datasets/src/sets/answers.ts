import { z } from "zod";

/** What people answered, one text each; some files have what else is known of an answer beside it. */
export const answersSchema = z
  .array(z.union([z.string(), z.object({ answer: z.string() })]))
  .min(1)
  .transform((answers) => answers.map((one) => (typeof one === "string" ? one : one.answer)));
