/** What the forms of the language model's attention share. */
import { product } from "@tinygptv/graph";
import type { GraphBuilder, Value } from "@tinygptv/graph";
import type { PhiConfig } from "@tinygptv/model";
import { layerNorm } from "./layers.ts";
import { asBytes, type Precision, type Weights } from "./weights.ts";

/** Rows, positions of this step, positions of the cache. */
export const [B, S, P] = ["batch", "sequence", "past"];
/** Inputs of this step, row after row. */
export const inputs = product(B, S);

/** What a form is made from. */
export interface AttentionContext {
  readonly root: GraphBuilder;
  readonly weights: Weights;
  readonly config: PhiConfig;
  /** (B,S,H) */
  readonly embeds: Value;
  /** What goes into attention is in, and what comes out, cached keys and values too. */
  readonly precision: Precision;
}

/** How attention reaches the positions before: a form of the graph, with inputs and outputs of its own. */
export interface CachedAttention {
  /** What linear layers run over: each input as a row of its own, and perhaps more behind them. */
  readonly rows: Value;
  /** One layer's attention without its last projection, on normed rows; the same shape. `name` is that of its weights. */
  attend(g: GraphBuilder, h: Value, layer: number, name: string): Value;
}

/** Declares a form's inputs and prepares what its layers share. */
export type AttentionForm = (context: AttentionContext) => CachedAttention;

/** One norm for all heads of a layer. x (…,d) */
export function headNorm(
  g: GraphBuilder,
  { weights, config }: Pick<AttentionContext, "weights" | "config">,
  x: Value,
  name: string,
): Value {
  return layerNorm(g, weights, x, name, config.layerNormEps);
}

/** What forms that take a row for each position share, layer after layer. */
export interface RowStep {
  /** Position of each input, (B,S). */
  readonly positions: Value;
  /** B, S and H, as a shape, (3). */
  readonly rowShape: Value;
  /** B, S, heads and d, as a shape, (4). */
  readonly headShape: Value;
  readonly cos: Value;
  readonly sin: Value;
}

/** @param positions (B,S) int64 */
export function prepareRows(
  g: GraphBuilder,
  { config, embeds, precision }: AttentionContext,
  positions: Value,
): RowStep {
  const { width: H, numHeads: heads, headDim: d } = config;
  const sizes = g.op("Shape", [embeds], { attributes: { start: 0, end: 2 }, label: "sizes" });
  const shapeOf = (label: string, ...rest: number[]) =>
    g.op("Concat", [sizes, g.constant("int64", rest)], { attributes: { axis: 0 }, label });
  return {
    positions,
    rowShape: shapeOf("rowShape", H),
    headShape: shapeOf("headShape", heads, d),
    ...rotaryTables(g, config, precision),
  };
}

/** Splits into heads, norms each, rotates the first entries. (B·S,H) -> (B,S,heads,d) */
export function rotated(
  g: GraphBuilder,
  context: AttentionContext,
  x: Value,
  { positions, rowShape, headShape, cos, sin }: RowStep,
  norm: string,
): Value {
  const { width: H, numHeads: heads, headDim: d, rotaryDim } = context.config;
  x = g.op("Reshape", [x, headShape], { label: "heads" }).is(B, S, heads, d);
  x = headNorm(g, context, x, norm);
  // In rows: (B,heads,S,d) would have to be transposed first.
  x = g.op("Reshape", [x, rowShape], { label: "rows" }).is(B, S, H);
  x = g.op("RotaryEmbedding", [x, positions, cos, sin], {
    attributes: { rotary_embedding_dim: rotaryDim, num_heads: heads, interleaved: 0 },
  });
  return g.op("Reshape", [x, headShape], { label: "again" }).is(B, S, heads, d);
}

/** cos and sin of position · theta^(-2i/rotaryDim), (context, rotaryDim/2); not rounded to half where anything else is not. */
export function rotaryTables(
  g: GraphBuilder,
  { contextLength, rotaryDim, ropeTheta }: PhiConfig,
  precision: Precision = "float32",
): { cos: Value; sin: Value } {
  const half = rotaryDim / 2;
  const table = (name: string, f: (angle: number) => number) =>
    g.initializer({
      name: `phi.rotary.${name}`,
      dtype: precision,
      shape: [contextLength, half],
      load: async () => {
        const values = new Float32Array(contextLength * half);
        for (let position = 0; position < contextLength; position++)
          for (let i = 0; i < half; i++) {
            // float32 at each step, as torch computes it
            const frequency = Math.fround(1 / Math.fround(ropeTheta ** ((2 * i) / rotaryDim)));
            values[position * half + i] = f(Math.fround(position * frequency));
          }
        return asBytes(values, precision);
      },
    });
  return { cos: table("cos", Math.cos), sin: table("sin", Math.sin) };
}
