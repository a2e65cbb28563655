/** The forward pass, stage by stage, against the reference's numbers. */
import { transpose, visionTokens } from "@tinygptv/model";
import type { SessionTensor } from "@tinygptv/graph/session";
import { runPromptWithStages, runWithStages } from "tinygptv/parts";
import type { GoldenTensors, ModelGolden } from "./goldenSet.ts";
import type { Report } from "./report.ts";
import { readInitializer } from "./initializers.ts";
import {
  embedGoldenPrompt,
  embedPrompt,
  encodeSegments,
  type SpeakingSubject,
  type Subject,
} from "./subject.ts";

/** Largest absolute differences, from the noise of float32 in the reference itself (test/fixtures/README.md). */
const tolerances = {
  vision: 1e-4,
  features: 5e-5,
  keyValue: 5e-5,
  logits: 1e-4,
  mergedWeights: 1e-6,
};

/**
 * Runs the vision path over the golden pictures.
 * @returns by picture what the Q-Former gives, and what the mapping makes of it, [queries, width] each
 */
export async function checkVision(
  { model, config, options }: Subject,
  images: { values: Float32Array; count: number },
  tensors: GoldenTensors,
  report: Report,
): Promise<{ embeds: Float32Array[]; features: Float32Array[] }> {
  const { vision, qformer, phi } = config;
  const run = (component: "vision" | "qformer" | "mapping", input: string, tensor: SessionTensor) =>
    runWithStages(model, component, { [input]: tensor }, options);
  const tensor = (data: Float32Array, ...shape: number[]): SessionTensor => ({
    dtype: "float32",
    shape: [images.count, ...shape],
    data,
  });
  const { imageSize } = vision;
  const vit = await run("vision", "pixel_values", tensor(images.values, 3, imageSize, imageSize));
  const states = tensor(vit.vision_states!, visionTokens(vision), vision.width);
  const queries = await run("qformer", "vision_states", states);
  const embeds = tensor(queries.image_embeds!, qformer.numQueryTokens, qformer.width);
  const mapped = await run("mapping", "image_embeds", embeds);

  const compare = async (name: string, got: Float32Array | undefined, tolerance: number) => {
    const want = await tensors.get(name);
    if (want && got) report.stage(name, got, want, tolerance);
  };
  const positions = await readInitializer(model, "vision", "vision.positionEmbedding");
  await compare("vit.pos_embed", positions?.values, tolerances.vision);
  for (const stage of ["vit.patch_pos", "vit.block0", "vit.output"])
    await compare(stage, vit[stage], tolerances.vision);
  await compare("ln_vision", vit.ln_vision, tolerances.features);
  await compare("qformer", queries.qformer, tolerances.features);
  await compare("llama_proj", mapped.llama_proj, tolerances.features);
  await compare("image_tokens", mapped.image_tokens, tolerances.features);

  const byPicture = (values: Float32Array, width: number) => {
    const size = qformer.numQueryTokens * width;
    return Array.from({ length: images.count }, (_, i) =>
      values.subarray(i * size, (i + 1) * size),
    );
  };
  return {
    embeds: byPicture(queries.image_embeds!, qformer.width),
    features: byPicture(mapped.image_features!, phi.width),
  };
}

/** LoRA merged into the first layer, brought back into the reference's row order. */
export async function checkMergedWeights(
  { model, config }: Subject,
  tensors: GoldenTensors,
  report: Report,
): Promise<void> {
  const { numHeads, headDim } = config.phi;
  for (const [golden, ours] of [
    ["merged.layer0.query_key_value.weight", "qkv"],
    ["merged.layer0.dense.weight", "dense"],
  ] as const) {
    const want = await tensors.get(golden);
    if (!want) continue;
    const name = `phi.layers.0.attention.${ours}.weight`;
    const stored = await readInitializer(model, "phi", name);
    if (!stored) {
      report.skip(`${golden}: ${model.files.phi} does not store this weight in float32`);
      continue;
    }
    const [width, rows] = stored.shape as [number, number];
    const values = transpose(stored.values, width, rows);
    const got = ours === "qkv" ? interleave(values, width, numHeads, headDim) : values;
    report.stage(golden, got, want, tolerances.mergedWeights);
  }
}

/** Rows of all q, all k, all v -> q, k, v of one head after the other. */
function interleave(
  values: Float32Array,
  width: number,
  numHeads: number,
  headDim: number,
): Float32Array {
  const out = new Float32Array(values.length);
  const size = headDim * width;
  for (let head = 0; head < numHeads; head++)
    for (let j = 0; j < 3; j++) {
      const from = (j * numHeads + head) * size;
      out.set(values.subarray(from, from + size), (3 * head + j) * size);
    }
  return out;
}

/** Embeddings and logits of the prompts, decoding step by step, a ragged batch. */
export async function checkLanguageModel(
  subject: SpeakingSubject,
  { forced_tokens: forcedTokens, batch }: ModelGolden,
  prompts: NonNullable<ModelGolden["prompts"]>,
  features: readonly Float32Array[],
  tensors: GoldenTensors,
  report: Report,
): Promise<void> {
  const { languageModel } = subject;
  for (const [i, prompt] of prompts.entries()) {
    const embeds = embedGoldenPrompt(subject, prompt, features);
    const wantEmbeds = await tensors.get(`prompt${i}.embeds`);
    if (wantEmbeds) report.stage(`prompt${i}.embeds`, embeds, wantEmbeds, tolerances.features);

    const all = await tensors.get(`prompt${i}.prefill_logits`);
    const last = await tensors.get(`prompt${i}.prefill_last_logits`);
    if (!all && !last) continue;
    const sequence = languageModel.create();
    const [logits] = await languageModel.forward([
      { sequence, input: { embeds }, logits: all ? "all" : "last" },
    ]);
    if (all) report.stage(`prompt${i}.prefill_logits`, logits!, all, tolerances.logits);
    if (last) report.stage(`prompt${i}.prefill_last_logits`, logits!, last, tolerances.logits);
    const forced = i === 0 ? await tensors.get("prompt0.forced_logits") : undefined;
    if (forced && forcedTokens) {
      const got = new Float32Array(forced.length);
      for (const [step, token] of forcedTokens.entries()) {
        const row = { sequence, input: { tokens: [token] }, logits: "last" as const };
        got.set((await languageModel.forward([row]))[0]!, step * languageModel.vocabularySize);
      }
      report.stage("prompt0.forced_logits", got, forced, tolerances.logits);
    }
    languageModel.release(sequence);
  }
  if (batch) await checkRaggedBatch(subject, batch, features, tensors, report);
}

/** Hidden states of every layer and the first layer's cache, of the first prompt. */
export async function checkHiddenStates(
  subject: Subject,
  prompts: NonNullable<ModelGolden["prompts"]>,
  features: readonly Float32Array[],
  tensors: GoldenTensors,
  report: Report,
): Promise<void> {
  const want = await tensors.get("prompt0.hidden_states");
  const [prompt] = prompts;
  if (!want || !prompt) return;
  const { model, config, options } = subject;
  const embeds = embedGoldenPrompt(subject, prompt, features);
  const { width, numLayers } = config.phi;
  const length = embeds.length / width;
  const results = await runPromptWithStages(model, embeds, options);
  for (let layer = 1; layer <= numLayers; layer++) {
    const stage = `hidden_states.${layer}`;
    const slice = want.subarray(layer * length * width, (layer + 1) * length * width);
    report.stage(`prompt0.${stage}`, results[stage]!, slice, tolerances.logits);
  }
  for (const part of ["key", "value"]) {
    const cached = await tensors.get(`prompt0.layer0.${part}`);
    if (cached)
      report.stage(`prompt0.layer0.${part}`, results[`${part}.0`]!, cached, tolerances.keyValue);
  }
}

/** Prompts of different length in one forward pass; the reference pads on the left, we on the right. */
async function checkRaggedBatch(
  subject: SpeakingSubject,
  batch: NonNullable<ModelGolden["batch"]>,
  features: readonly Float32Array[],
  tensors: GoldenTensors,
  report: Report,
): Promise<void> {
  const want = await tensors.get("batch.prefill_last_logits");
  if (!want) return;
  const { languageModel } = subject;
  const rows = batch.texts.map((text, i) => ({
    sequence: languageModel.create(),
    input: {
      embeds: embedPrompt(subject, encodeSegments(subject, text), [features[batch.images[i]!]!]),
    },
    logits: "last" as const,
  }));
  const logits = await languageModel.forward(rows);
  const got = new Float32Array(want.length);
  logits.forEach((row, i) => got.set(row, i * languageModel.vocabularySize));
  report.stage("batch.prefill_last_logits", got, want, tolerances.logits);
  for (const { sequence } of rows) languageModel.release(sequence);
}
