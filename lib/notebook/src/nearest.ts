/** The name a person most likely meant: the same but for capitals, or for one letter (two in long names). */
export function nearest<Name extends string>(
  word: string,
  names: readonly Name[],
): Name | undefined {
  const small = word.toLowerCase();
  const close = names.map((name) => ({ name, distance: distance(small, name.toLowerCase()) }));
  const best = close.toSorted((a, b) => a.distance - b.distance)[0];
  return best !== undefined && best.distance <= (best.name.length > 6 ? 2 : 1)
    ? best.name
    : undefined;
}

/** Letters to change, add, leave out or exchange with their neighbour. */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return Infinity;
  const rows = Array.from({ length: a.length + 1 }, (_, i) =>
    Array.from({ length: b.length + 1 }, (__, j) => (i === 0 ? j : j === 0 ? i : 0)),
  );
  const at = (i: number, j: number): number => rows[i]?.[j] ?? Infinity;
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const exchanged = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      rows[i]![j] = Math.min(
        at(i - 1, j) + 1,
        at(i, j - 1) + 1,
        at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1),
        exchanged ? at(i - 2, j - 2) + 1 : Infinity,
      );
    }
  }
  return at(a.length, b.length);
}
