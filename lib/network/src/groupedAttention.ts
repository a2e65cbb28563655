/**
 * Attention for GPUs in one operator that keeps the cache itself: fewer steps of
 * the device, which is what a fast one waits for. Of several positions it takes
 * one sequence at a time, and is used only where a self-test has found it right.
 */
import { B, P, S, headNorm, inputs, rotaryTables } from "./attention.ts";
import type { AttentionForm } from "./attention.ts";
import { linear, reshape, splitInThree } from "./layers.ts";

/**
 * last_position (B) int32 (of each row, in the cache), total_length () int32 (of the longest row),
 * past_key.N, past_value.N (B,heads,P,d) -> key.N, value.N: the same, with this step's rows in them
 */
export const groupedAttention: AttentionForm = (context) => {
  const { root, config, embeds, precision } = context;
  const { width: H, numLayers, numHeads: heads, headDim: d } = config;
  const last = root.input("last_position", "int32", [B]);
  const total = root.input("total_length", "int32", []);
  const past = Array.from({ length: numLayers }, (_, layer) => ({
    key: root.input(`past_key.${layer}`, precision, [B, heads, P, d]),
    value: root.input(`past_value.${layer}`, precision, [B, heads, P, d]),
  }));
  const g = root.at("step");
  const { cos, sin } = rotaryTables(g, config, precision);
  const sizeOf = (axis: number, label: string) =>
    g.op("Shape", [embeds], { attributes: { start: axis, end: axis + 1 }, label });
  const sizes = [sizeOf(0, "batch"), sizeOf(1, "sequence")];
  const shapeOf = (label: string, ...rest: number[]) =>
    g.op("Concat", [...sizes, g.constant("int64", rest)], { attributes: { axis: 0 }, label });
  const rowShape = shapeOf("rowShape", H);
  const headShape = shapeOf("headShape", heads, d);

  return {
    rows: reshape(root, embeds, [inputs, H]),
    attend(at, h, layer, name) {
      const rows = linear(at.at("qkv"), context.weights, h, `${name}.qkv`, 3 * H);
      const [q, k, v] = splitInThree(at.at("qkv"), rows.is(inputs, 3 * H));
      const normed = (place: string, x: typeof q) => {
        const part = at.at(place);
        x = part.op("Reshape", [x, headShape], { label: "heads" }).is(B, S, heads, d);
        x = headNorm(part, context, x, `${name}.${place}Norm`);
        return part.op("Reshape", [x, rowShape], { label: "rows" }).is(B, S, H);
      };
      const query = normed("query", q);
      const key = normed("key", k);
      const value = at.at("value").op("Reshape", [v, rowShape]).is(B, S, H);
      const [attended, keys, values] = at.ops(
        "GroupQueryAttention",
        [query, key, value, past[layer]!.key, past[layer]!.value, last, total, cos, sin],
        3,
        {
          attributes: {
            num_heads: heads,
            kv_num_heads: heads,
            do_rotary: 1,
            scale: { float: d ** -0.5 },
          },
        },
      );
      at.output(`key.${layer}`, keys!.is(B, heads, P, d));
      at.output(`value.${layer}`, values!.is(B, heads, P, d));
      return reshape(at, attended!, [inputs, H]);
    },
  };
};
