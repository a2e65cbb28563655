/**
 * What sampling does to the distribution before it draws, in this order:
 * temperature, top-k, top-p, min-p. Removed tokens get -Infinity. Results equal
 * those of Hugging Face transformers 4.36, ties included; none of them sorts
 * the vocabulary, and buffers are kept between steps.
 */
import type { LogitsProcessor } from "./logitsProcessors.ts";

/** Divides logits by the temperature, in float32. */
export function temperature(value: number): LogitsProcessor {
  const divisor = Math.fround(value);
  return (logits) => {
    for (let i = 0; i < logits.length; i++) logits[i]! /= divisor;
  };
}

/** Keeps the `k` largest scores, and all that equal the k-th. */
export function topK(k: number): LogitsProcessor {
  // A heap of the k largest values so far, the smallest of them on top.
  const heap = new Float32Array(k);
  return (logits) => {
    if (k >= logits.length) return;
    heap.set(logits.subarray(0, k));
    for (let i = (k >> 1) - 1; i >= 0; i--) siftDown(heap, k, i, isLess);
    for (let i = k; i < logits.length; i++) {
      if (logits[i]! <= heap[0]!) continue;
      heap[0] = logits[i]!;
      siftDown(heap, k, 0, isLess);
    }
    const threshold = heap[0]!;
    for (let i = 0; i < logits.length; i++) if (logits[i]! < threshold) logits[i] = -Infinity;
  };
}

/**
 * Keeps the smallest set of most probable tokens whose probabilities sum to at
 * least `p` (nucleus sampling, arXiv 1904.09751). Of equal tokens the ones with
 * higher ids are kept first, which is what the reference's stable ascending
 * sort leaves at the end.
 */
export function topP(p: number): LogitsProcessor {
  let ids = new Uint32Array(0);
  let kept = new Float32Array(0);
  return (logits) => {
    if (ids.length < logits.length) {
      ids = new Uint32Array(logits.length);
      kept = new Float32Array(logits.length);
    }
    // A heap of the ids not removed yet, the most probable on top; popped only while mass is missing.
    let size = 0;
    for (let i = 0; i < logits.length; i++) if (logits[i]! > -Infinity) ids[size++] = i;
    const isMoreProbable = (a: number, b: number) => {
      const difference = logits[a]! - logits[b]!;
      return difference > 0 || (difference === 0 && a > b);
    };
    for (let i = (size >> 1) - 1; i >= 0; i--) siftDown(ids, size, i, isMoreProbable);
    const max = logits[ids[0]!]!;
    let total = 0;
    for (let i = 0; i < size; i++) total += Math.exp(logits[ids[i]!]! - max);
    kept.fill(-Infinity, 0, logits.length);
    // At least one, also at p = 0.
    for (let mass = 0; size > 0 && (mass === 0 || mass < p * total);) {
      const id = ids[0]!;
      kept[id] = logits[id]!;
      mass += Math.exp(logits[id]! - max);
      ids[0] = ids[--size]!;
      siftDown(ids, size, 0, isMoreProbable);
    }
    logits.set(kept.subarray(0, logits.length));
  };
}

/** Keeps tokens at least `p` times as probable as the most probable one (arXiv 2407.01082). */
export function minP(p: number): LogitsProcessor {
  const distance = Math.log(p);
  return (logits) => {
    let max = -Infinity;
    for (let i = 0; i < logits.length; i++) if (logits[i]! > max) max = logits[i]!;
    for (let i = 0; i < logits.length; i++) {
      if (logits[i]! < max + distance) logits[i] = -Infinity;
    }
  };
}

function isLess(a: number, b: number): boolean {
  return a < b;
}

/** Restores the heap of `size` values below `parent`, where `isBefore` says what belongs on top. */
function siftDown(
  heap: Float32Array | Uint32Array,
  size: number,
  parent: number,
  isBefore: (a: number, b: number) => boolean,
): void {
  const value = heap[parent]!;
  for (let child = 2 * parent + 1; child < size; child = 2 * parent + 1) {
    if (child + 1 < size && isBefore(heap[child + 1]!, heap[child]!)) child++;
    if (!isBefore(heap[child]!, value)) break;
    heap[parent] = heap[child]!;
    parent = child;
  }
  heap[parent] = value;
}
