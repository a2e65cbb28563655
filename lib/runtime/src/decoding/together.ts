import type { Decoder, ForwardRow } from "./sequence.ts";

/** Several decoders as one: every step runs the rows of all that are not done yet. */
export function* together<Result>(decoders: readonly Decoder<Result>[]): Decoder<Result[]> {
  const results: Result[] = [];
  try {
    let open = decoders.map((decoder, index) => ({ decoder, index, step: decoder.next([]) }));
    for (;;) {
      const waiting: { decoder: Decoder<Result>; index: number; rows: readonly ForwardRow[] }[] =
        [];
      for (const { decoder, index, step } of open) {
        if (step.done) results[index] = step.value;
        else waiting.push({ decoder, index, rows: step.value });
      }
      if (waiting.length === 0) return results;
      const logits = yield waiting.flatMap(({ rows }) => rows);
      let offset = 0;
      open = waiting.map(({ decoder, index, rows }) => {
        const own = logits.slice(offset, (offset += rows.length));
        return { decoder, index, step: decoder.next(own) };
      });
    }
  } finally {
    for (const decoder of decoders) decoder.return(undefined as Result);
  }
}
