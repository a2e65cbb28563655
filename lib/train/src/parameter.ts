/**
 * A tensor that is trained, in PyTorch's orientation, by our name: `mapping.fc1.weight`
 * [out,in], `phi.layers.3.attention.qkv.loraA` [rank,in], `.loraB` [out,rank] (rows of
 * all queries, then keys, then values), `phi.norm.weight` [width].
 */
export interface Parameter {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}
