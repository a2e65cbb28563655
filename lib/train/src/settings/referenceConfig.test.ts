import { expect, test } from "vitest";
import { referenceConfig } from "./referenceConfig.ts";
import { readRunFile, stageRunFile } from "./runFile.ts";

const config = async (stage: 1 | 3) =>
  referenceConfig(await readRunFile(stageRunFile(stage), ["model=m", "out=o"]));

test("stage 3 in the reference's words", async () => {
  expect(await config(3)).toEqual({
    run: {
      task: "image_text_pretrain",
      lr_sched: "linear_warmup_cosine_lr",
      init_lr: 3e-5,
      min_lr: 1e-5,
      warmup_lr: 1e-6,
      warmup_steps: 200,
      weight_decay: 0.05,
      beta2: 0.999,
      max_epoch: 5,
      iters_per_epoch: 200,
      accum_grad_iters: 1,
      seed: 42,
      amp: false,
    },
    model: { arch: "minigpt4", lora_r: 64, lora_alpha: 16, max_txt_len: 160, end_sym: "###" },
    datasets: { cc_sbu_align: { batch_size: 6, sample_ratio: 1 } },
  });
});

test("without LoRA its rank is 0", async () => {
  expect(await config(1)).toMatchObject({
    model: { lora_r: 0, end_sym: "\n" },
    datasets: { laion: { batch_size: 64, sample_ratio: 115 }, cc_sbu: { sample_ratio: 14 } },
  });
});
