import { attempt, type Attempt, type AttemptOptions, type Outgoing } from "./attempt.ts";
import { errorResponse } from "./errors.ts";

/**
 * Sends a request to the origins that serve its models, one after the other
 * until one answers, or its body cannot be sent again. Where none does, a
 * refusal with its `retry-after` says more than that nobody is there.
 */
export async function forward(
  outgoing: Outgoing,
  models: readonly string[],
  options: AttemptOptions,
): Promise<Omit<Attempt, "outcome">> {
  const tried: Partial<Record<Attempt["outcome"], Attempt>> = {};
  for (const origin of options.origins.candidates(models)) {
    if (outgoing.body?.canBeSent === false) break;
    const made = await attempt(origin, outgoing, options);
    tried[made.outcome] = made;
    if (made.outcome === "answered") break;
  }
  outgoing.body?.release();
  const names = models.join(" and ");
  return (
    tried.answered ??
    tried.refused ??
    tried.absent ?? {
      response: errorResponse("model_not_found", `model: no server has ${names}`, {
        param: "model",
      }),
    }
  );
}
