/** What a run is set to in the words of the reference's settings, as its stage files and `log.txt` hold them. */
import type { ConfigValue } from "../results/stageFile.ts";
import { mixtureOf, regimeOf, scheduleOf, wordingOf } from "./plan.ts";
import type { RunSettings } from "./schema.ts";

/** A run's settings in the reference's words, as its stage files and logs hold them. */
export function referenceConfig(settings: RunSettings): ConfigValue {
  const { start, peak, final, warmupSteps, epochs, stepsPerEpoch } = scheduleOf(settings);
  const { lora } = regimeOf(settings);
  const { endSymbol, maxAnswerTokens } = wordingOf(settings);
  return {
    run: {
      task: "image_text_pretrain",
      lr_sched: "linear_warmup_cosine_lr",
      init_lr: peak,
      min_lr: final,
      warmup_lr: start,
      warmup_steps: warmupSteps,
      weight_decay: settings.weightDecay,
      beta2: settings.betas[1],
      max_epoch: epochs,
      iters_per_epoch: stepsPerEpoch,
      accum_grad_iters: settings.accumulate,
      seed: settings.seed,
      amp: false,
    },
    model: {
      arch: settings.stage === 4 ? "minigpt_v2" : "minigpt4",
      lora_r: lora?.rank ?? 0,
      lora_alpha: lora?.alpha,
      max_txt_len: maxAnswerTokens,
      end_sym: endSymbol,
    },
    datasets: Object.fromEntries(
      mixtureOf(settings).map(({ name, batchSize, ratio }) => [
        name,
        { batch_size: batchSize, sample_ratio: ratio },
      ]),
    ),
  };
}
