import { attempt, type AttemptOptions, type Outgoing } from "./attempt.ts";
import { errorResponse } from "./errors.ts";

/**
 * Sends a request to the origins that serve its models, one after the other
 * until one answers. Where none does, a refusal with its `retry-after` says
 * more than that nobody is there.
 */
export async function forward(
  outgoing: Outgoing,
  models: readonly string[],
  options: AttemptOptions,
): Promise<Response> {
  let refused: Response | undefined;
  let absent: Response | undefined;
  for (const origin of options.origins.candidates(models)) {
    const { outcome, response } = await attempt(origin, outgoing, options);
    if (outcome === "answered") return response;
    if (outcome === "refused") refused = response;
    else absent = response;
  }
  const names = models.join(" and ");
  return (
    refused ??
    absent ??
    errorResponse("model_not_found", `model: no server has ${names}`, { param: "model" })
  );
}
