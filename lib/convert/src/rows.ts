import type { Weight } from "@tinygptv/network";

/** Weights one above the other along the first axis. */
export function concatRows(name: string, parts: readonly Weight[]): Weight {
  const rows = parts.reduce((sum, { shape }) => sum + shape[0]!, 0);
  return {
    name,
    shape: [rows, ...parts[0]!.shape.slice(1)],
    load: async () => {
      const values = await Promise.all(parts.map((part) => part.load()));
      const out = new Float32Array(values.reduce((sum, { length }) => sum + length, 0));
      let offset = 0;
      for (const part of values) {
        out.set(part, offset);
        offset += part.length;
      }
      return out;
    },
  };
}

/** A parameter that no file holds and whose initial value counts (zero biases). */
export function filled(name: string, shape: readonly number[], value: number): Weight {
  const size = shape.reduce((count, length) => count * length, 1);
  return { name, shape, load: async () => new Float32Array(size).fill(value) };
}
