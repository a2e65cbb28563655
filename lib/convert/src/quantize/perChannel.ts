/** Signed 8-bit weights with one scale per output: the format of DynamicQuantizeMatMul. */
import { notFinite } from "./blockwise.ts";
import { searchScale } from "./scale.ts";

export interface PerChannelWeight {
  /** [in,out] */
  readonly codes: Int8Array;
  /** [out] */
  readonly scales: Float32Array;
}

/** @param weight [in,out], row-major. Throws "layout" where a weight is not finite. */
export function quantizePerChannel(
  name: string,
  weight: Float32Array,
  out: number,
): PerChannelWeight {
  const width = weight.length / out;
  const codes = new Int8Array(weight.length);
  const scales = new Float32Array(out);
  const column = new Float32Array(width);
  for (let channel = 0; channel < out; channel++) {
    for (let i = 0; i < width; i++) column[i] = weight[i * out + channel]!;
    const scale = searchScale(column, 0, width, 8);
    if (Number.isNaN(scale)) throw notFinite(name);
    scales[channel] = scale;
    const inverse = scale === 0 ? 0 : 1 / scale;
    for (let i = 0; i < width; i++) {
      const code = Math.round(column[i]! * inverse);
      codes[i * out + channel] = Math.max(-128, Math.min(127, code));
    }
  }
  return { codes, scales };
}
