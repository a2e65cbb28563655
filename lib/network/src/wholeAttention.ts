/**
 * Attention over whole sequences, without a cache: as the language model is trained.
 * In operators that every provider has and that gradients pass back through.
 */
import { B, S, inputs, prepareRows, rotated } from "./attention.ts";
import type { AttentionForm } from "./attention.ts";
import { add, linear, reshape, splitInThree, transposeAxes } from "./layers.ts";

/** positions (B,S) int64, mask (B,1,S,S) float32 (0, or added to scores to hide a position) */
export const wholeAttention: AttentionForm = (context) => {
  const { root, config, embeds } = context;
  const { width: H, numHeads: heads, headDim: d } = config;
  const positions = root.input("positions", "int64", [B, S]);
  const mask = root.input("mask", "float32", [B, 1, S, S]);
  const step = prepareRows(root.at("step"), context, positions);
  const scale = root.constant("float32", [d ** -0.5]);

  return {
    rows: reshape(root, embeds, [inputs, H]),
    attend(g, h, _layer, name) {
      const rows = linear(g.at("qkv"), context.weights, h, `${name}.qkv`, 3 * H);
      const [q, k, v] = splitInThree(g.at("qkv"), rows.is(inputs, 3 * H));
      let query = rotated(g.at("query"), context, q, step, `${name}.queryNorm`);
      query = g.op("Mul", [query, scale], { label: "scale" });
      query = transposeAxes(g.at("query"), query, [0, 2, 1, 3]).is(B, heads, S, d);
      let key = rotated(g.at("key"), context, k, step, `${name}.keyNorm`);
      key = transposeAxes(g.at("key"), key, [0, 2, 3, 1]).is(B, heads, d, S);
      let value = g.at("value").op("Reshape", [v, step.headShape]).is(B, S, heads, d);
      value = transposeAxes(g.at("value"), value, [0, 2, 1, 3]).is(B, heads, S, d);

      let scores = g.op("MatMul", [query, key], { label: "scores" }).is(B, heads, S, S);
      scores = g.op("Softmax", [add(g, scores, mask)], { attributes: { axis: -1 } });
      const attended = g.op("MatMul", [scores, value], { label: "values" }).is(B, heads, S, d);
      return reshape(g, transposeAxes(g, attended, [0, 2, 1, 3]), [inputs, H]);
    },
  };
};
