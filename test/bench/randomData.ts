/** Random tensor contents by the gigabyte: pieces of a pool, drawn once, from random places, so that no two tensors are alike. */
import { seeded } from "../../lib/runtime/src/decoding/rng.ts";

const poolSize = 1 << 22;
const pieceSize = 1 << 18;

export interface RandomData {
  /** Normal numbers around `mean`. */
  normal(count: number, mean: number, deviation: number): Float32Array;
  bytes(count: number): Uint8Array;
  /** Records of `size` bytes made by `make`, which is called for the pool only. */
  records(
    count: number,
    kind: string,
    size: number,
    make: (random: () => number) => Uint8Array,
  ): Uint8Array;
}

export function createRandomData(seed: number): RandomData {
  const random = seeded(seed);
  const pools = new Map<string, Uint8Array>();
  const normals = Float32Array.from(
    { length: poolSize },
    () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()),
  );

  function fill(count: number, size: number, pool: Uint8Array): Uint8Array {
    const out = new Uint8Array(count * size);
    const inPool = pool.length / size;
    for (let done = 0; done < count;) {
      const length = Math.min(count - done, pieceSize, inPool);
      const start = Math.floor(random() * (inPool - length + 1));
      out.set(pool.subarray(start * size, (start + length) * size), done * size);
      done += length;
    }
    return out;
  }

  function poolOf(kind: string, make: () => Uint8Array): Uint8Array {
    const pool = pools.get(kind) ?? make();
    pools.set(kind, pool);
    return pool;
  }

  return {
    normal(count, mean, deviation) {
      const pool = poolOf(`normal ${mean} ${deviation}`, () => {
        const values = normals.map((value) => mean + value * deviation);
        return new Uint8Array(values.buffer);
      });
      return new Float32Array(fill(count, 4, pool).buffer);
    },
    bytes: (count) =>
      fill(
        count,
        1,
        poolOf("bytes", () => Uint8Array.from({ length: poolSize }, () => random() * 256)),
      ),
    records: (count, kind, size, make) =>
      fill(
        count,
        size,
        poolOf(kind, () => {
          const records = Array.from({ length: 1 << 16 }, () => make(random));
          return new Uint8Array(Buffer.concat(records));
        }),
      ),
  };
}
