/** Masks of dropout, drawn here: the same when a layer is computed again, on every provider, and after a resume. */
import { createHash } from "node:crypto";
import { seeded } from "tinygptv/parts";

/** Where a mask is drawn: the same place gives the same mask. */
export interface MaskPlace {
  readonly seed: number;
  readonly step: number;
  /** Which part of the step's batch. */
  readonly part: number;
  readonly layer: number;
  readonly name: string;
}

/** 0 for a share of `rate`, 1/(1 − rate) for the others. */
export function dropoutMask(count: number, rate: number, place: MaskPlace): Float32Array {
  const random = seeded(seedOf(place));
  const kept = 1 / (1 - rate);
  const mask = new Float32Array(count);
  for (let i = 0; i < count; i++) mask[i] = random() < rate ? 0 : kept;
  return mask;
}

function seedOf({ seed, step, part, layer, name }: MaskPlace): number {
  const place = [seed, step, part, layer, name].join("/");
  return createHash("sha256").update(place).digest().readUIntBE(0, 6);
}
