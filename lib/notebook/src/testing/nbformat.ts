/** What nbformat 4.5 asks of the kinds of cells and outputs we write. */
import { z } from "zod";

const multiline = z.union([z.string(), z.array(z.string())]);
const id = z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/);
const metadata = z.record(z.string(), z.unknown());

/** JSON only where the type says so, text everywhere else. */
const mimeBundle = z
  .record(z.string().regex(/^[a-z]+\/[a-z0-9.+-]+$/), z.unknown())
  .refine((data) =>
    Object.entries(data).every(
      ([mime, value]) => mime.endsWith("+json") || multiline.safeParse(value).success,
    ),
  );

const displayData = z.strictObject({
  output_type: z.literal("display_data"),
  metadata,
  data: mimeBundle,
});

export const nbformatSchema = z.strictObject({
  nbformat: z.literal(4),
  nbformat_minor: z.literal(5),
  metadata,
  cells: z.array(
    z.discriminatedUnion("cell_type", [
      z.strictObject({
        id,
        cell_type: z.literal("markdown"),
        metadata,
        source: multiline,
        attachments: z.record(z.string(), mimeBundle).optional(),
      }),
      z.strictObject({
        id,
        cell_type: z.literal("code"),
        metadata,
        source: multiline,
        execution_count: z.int().nullable(),
        outputs: z.array(displayData),
      }),
    ]),
  ),
});
