import { z } from "zod";

/** True or false, in the forms that files have it in. */
export const labelSchema = z
  .union([z.literal([0, 1]), z.boolean(), z.literal(["0", "1", "True", "False", "true", "false"])])
  .transform((label) => ["1", "true"].includes(String(label).toLowerCase()));
