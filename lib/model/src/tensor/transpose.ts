/** Row-major [rows,columns] -> [columns,rows], tile by tile so that both sides stay in the cache. */
export function transpose(values: Float32Array, rows: number, columns: number): Float32Array {
  const tile = 32;
  const out = new Float32Array(values.length);
  for (let r0 = 0; r0 < rows; r0 += tile) {
    const r1 = Math.min(r0 + tile, rows);
    for (let c0 = 0; c0 < columns; c0 += tile) {
      const c1 = Math.min(c0 + tile, columns);
      for (let r = r0; r < r1; r++)
        for (let c = c0; c < c1; c++) out[c * rows + r] = values[r * columns + c]!;
    }
  }
  return out;
}
