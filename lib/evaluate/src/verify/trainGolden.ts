import { z } from "zod";

const ids = z.array(z.number().int());
const strings = z.array(z.string());
const example = { images: ids, loss: z.number(), target_ids: z.array(ids) };

/** What a golden set knows of training. */
export const trainGoldenSchema = z.looseObject({
  ...example,
  instruction_input: strings,
  answer: strings,
  prompt_template: z.string(),
  end_sym: z.string(),
  chat_template: z.boolean(),
  input_lengths_without_bos: ids.optional(),
  attention_mask_without_bos: z.array(ids).optional(),
  optimizer: z.looseObject({
    lr: z.number(),
    weight_decay: z.number(),
    betas: z.tuple([z.number(), z.number()]),
    eps: z.number(),
  }),
  grad_norm_all: z.number().optional(),
  loss_after_step: z.number().optional(),
  conversation: z
    .looseObject({ ...example, conv_q: strings, conv_a: strings, connect_sym: z.string() })
    .optional(),
});
export type TrainGolden = z.infer<typeof trainGoldenSchema>;
