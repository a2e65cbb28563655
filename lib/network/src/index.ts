/**
 * TinyGPT-V as graphs, in forward order, for processors and for GPUs.
 * @module @tinygptv/network
 */
export { buildGraphs, type Forms } from "./graphs.ts";
export { evaVit } from "./evaVit.ts";
export { qformer } from "./qformer.ts";
export { phi } from "./phi.ts";
export { phiLayer, phiLoss } from "./phiParts.ts";
export { adaptable, type AdaptableGraph, type AdapterPlace } from "./adaptable.ts";
export { mapping } from "./mapping.ts";
export { inPlaceAttention } from "./inPlaceAttention.ts";
export { groupedAttention } from "./groupedAttention.ts";
export type { AttentionForm } from "./attention.ts";
export { explicitAttention, type Attention } from "./layers.ts";
export { asBytes, type Precision, type Weight, type Weights } from "./weights.ts";
export {
  linearLayers,
  replaceLinearLayers,
  type LinearLayer,
  type LinearOperator,
} from "./linear.ts";
export { isComputed, namedWeights, withStoredWeights } from "./stored.ts";
