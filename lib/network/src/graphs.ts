/** The four graphs of a model. */
import type { Graph } from "@tinygptv/graph";
import { visionTokens } from "@tinygptv/model";
import type { Component, ModelConfig } from "@tinygptv/model";
import type { AttentionForm } from "./attention.ts";
import { evaVit } from "./evaVit.ts";
import { fusedAttention, type Attention } from "./layers.ts";
import { mapping } from "./mapping.ts";
import { phi } from "./phi.ts";
import { qformer } from "./qformer.ts";
import { splitAttention } from "./splitAttention.ts";
import type { Precision, Weights } from "./weights.ts";

/** How attention is put, which depends on what runs it. */
export interface Forms {
  /** Of the picture side. */
  readonly attention: Attention;
  /** Of the language model, over the positions before. */
  readonly cached: AttentionForm;
  /** In which the language model computes attention and MLP. */
  readonly precision: Precision;
}

/** For ONNX Runtime on a processor: what a model folder holds. */
const processorForms: Forms = {
  attention: fusedAttention,
  cached: splitAttention,
  precision: "float32",
};

/** The four graphs, in the order a request passes through them. */
export function buildGraphs(
  weights: Weights,
  config: ModelConfig,
  { attention, cached, precision }: Forms = processorForms,
): Record<Component, Graph> {
  const { width: visionWidth } = config.vision;
  const { width, numQueryTokens } = config.qformer;
  return {
    vision: evaVit(weights, config.vision, attention),
    qformer: qformer(
      weights,
      config.qformer,
      { width: visionWidth, tokens: visionTokens(config.vision) },
      attention,
    ),
    mapping: mapping(weights, {
      queryTokens: numQueryTokens,
      inWidth: width,
      width: config.mapping.width,
      outWidth: config.phi.width,
    }),
    phi: phi(weights, config.phi, cached, precision),
  };
}
