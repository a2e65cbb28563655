/**
 * Attention for GPUs: keys and values stay on the device, in buffers that are
 * given both as input and as output, so that a step writes its rows into them in
 * place. Only what is small comes from the caller: where the rows go, and which
 * positions each may see.
 *
 * Keys lie transposed, (B,heads,d,P): WebGPU has no kernel for a product with a
 * transposed matrix, and no step may copy the cache.
 */
import type { Value } from "@tinygptv/graph";
import { B, P, S, inputs, prepareRows, rotated } from "./attention.ts";
import type { AttentionForm } from "./attention.ts";
import { add, inPrecision, linear, reshape, splitInThree, transposeAxes } from "./layers.ts";

/**
 * positions (B,S) int64, slots (B,S) int32 (where in the cache each input goes),
 * mask (B,1,S,P) float32 (0, or added to scores to hide a position), past_key.N (B,heads,d,P), past_value.N
 * (B,heads,P,d) -> key.N, value.N: the same, with this step's rows in them
 */
export const inPlaceAttention: AttentionForm = (context) => {
  const { root, config, embeds, precision } = context;
  const { width: H, numLayers, numHeads: heads, headDim: d } = config;
  const positions = root.input("positions", "int64", [B, S]);
  const slots = root.input("slots", "int32", [B, S]);
  const mask = root.input("mask", "float32", [B, 1, S, P]);
  const past = Array.from({ length: numLayers }, (_, layer) => ({
    key: root.input(`past_key.${layer}`, precision, [B, heads, d, P]),
    value: root.input(`past_value.${layer}`, precision, [B, heads, P, d]),
  }));

  const g = root.at("step");
  const sizeOf = (axis: number, label: string) =>
    g.op("Shape", [embeds], { attributes: { start: axis, end: axis + 1 }, label });
  const [batch, sequence] = [sizeOf(0, "batch"), sizeOf(1, "sequence")];
  const shapeOf = (label: string, ...sizes: (Value | number)[]) =>
    g.op(
      "Concat",
      sizes.map((size) => (typeof size === "number" ? g.constant("int64", [size]) : size)),
      { attributes: { axis: 0 }, label },
    );
  const step = prepareRows(g, context, positions);
  const slotsAlong = (shape: Value, axes: readonly number[], label: string) => {
    const apart = g.op("Unsqueeze", [slots, g.constant("int64", axes)], { label });
    return g.op("Expand", [apart, shape], { label });
  };
  const keyShape = shapeOf("keyShape", batch, heads, d, sequence);
  const valueShape = shapeOf("valueShape", batch, heads, sequence, d);
  const keySlots = slotsAlong(keyShape, [1, 2], "keySlots").is(B, heads, d, S);
  const valueSlots = slotsAlong(valueShape, [1, 3], "valueSlots").is(B, heads, S, d);

  const scale = inPrecision(g, g.constant("float32", [d ** -0.5]), precision, "scale");
  const seen = inPrecision(g, mask, precision, "mask");

  return {
    rows: reshape(root, embeds, [inputs, H]),
    attend(at, h, layer, name) {
      const rows = linear(at.at("qkv"), context.weights, h, `${name}.qkv`, 3 * H);
      const [q, k, v] = splitInThree(at.at("qkv"), rows.is(inputs, 3 * H));
      let query = rotated(at.at("query"), context, q, step, `${name}.queryNorm`);
      query = at.op("Mul", [query, scale], { label: "scale" });
      query = transposeAxes(at.at("query"), query, [0, 2, 1, 3]).is(B, heads, S, d);
      let key = rotated(at.at("key"), context, k, step, `${name}.keyNorm`);
      key = transposeAxes(at.at("key"), key, [0, 2, 3, 1]).is(B, heads, d, S);
      let value = at.at("value").op("Reshape", [v, step.headShape]).is(B, S, heads, d);
      value = transposeAxes(at.at("value"), value, [0, 2, 1, 3]).is(B, heads, S, d);

      const keys = at.op("ScatterElements", [past[layer]!.key, keySlots, key], {
        attributes: { axis: 3 },
        label: "key",
      });
      const values = at.op("ScatterElements", [past[layer]!.value, valueSlots, value], {
        attributes: { axis: 2 },
        label: "value",
      });
      at.output(`key.${layer}`, keys);
      at.output(`value.${layer}`, values);

      let scores = at.op("MatMul", [query, keys], { label: "scores" }).is(B, heads, S, P);
      scores = at.op("Softmax", [add(at, scores, seen, "mask")], { attributes: { axis: -1 } });
      const attended = at.op("MatMul", [scores, values], { label: "values" }).is(B, heads, S, d);
      return reshape(at, transposeAxes(at, attended, [0, 2, 1, 3]), [inputs, H]);
    },
  };
};
