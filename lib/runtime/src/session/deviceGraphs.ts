/** A model's graphs in the forms that devices run, made out of those it was converted to. */
import type { Graph } from "@tinygptv/graph";
import type { Component, ModelConfig } from "@tinygptv/model";
import {
  buildGraphs,
  explicitAttention,
  groupedAttention,
  inPlaceAttention,
  namedWeights,
  withStoredWeights,
} from "@tinygptv/network";
import type { DeviceForm } from "./devicePass.ts";

const cached = { inPlace: inPlaceAttention, grouped: groupedAttention };

/**
 * @param stored the component as its level has it
 * @throws TinyGptvError "model" where it lacks a weight
 */
export function deviceGraph(
  component: Component,
  stored: Graph,
  config: ModelConfig,
  { attention, precision }: DeviceForm,
): Graph {
  const forms = { attention: explicitAttention, cached: cached[attention], precision };
  return withStoredWeights(buildGraphs(namedWeights, config, forms)[component], stored);
}
