import { throwIfAborted } from "@tinygptv/protocol";
import type { Decoder, LanguageModel } from "./sequence.ts";

/**
 * Runs one decoder by itself. Whatever goes wrong, it gets the chance to
 * release its sequences first.
 * @throws TinyGptvError `aborted` between two steps; what the decoder or the model throws.
 */
export async function runDecoder<Result>(
  decoder: Decoder<Result>,
  model: Pick<LanguageModel, "forward">,
  signal?: AbortSignal,
): Promise<Result> {
  try {
    let step = decoder.next([]);
    while (!step.done) {
      throwIfAborted(signal);
      step = decoder.next(await model.forward(step.value));
    }
    return step.value;
  } finally {
    decoder.return(undefined as Result);
  }
}
