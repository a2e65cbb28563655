import { modelListSchema } from "@tinygptv/protocol/http";
import type { ModelList } from "@tinygptv/protocol/http";
import { attempt, type AttemptOptions } from "./attempt.ts";
import { serves } from "./origins.ts";

/**
 * `GET /v1/models` over all origins: every model once, in the origins' order,
 * as far as the origins are configured for them and answer. Undefined where
 * none does.
 */
export async function listModels(
  requestId: string,
  signal: AbortSignal,
  options: AttemptOptions,
): Promise<ModelList | undefined> {
  const headers = new Headers({ "x-request-id": requestId });
  const outgoing = { method: "GET", path: "/v1/models", headers, body: undefined, signal };
  const lists = await Promise.all(
    options.origins.all.map(async (origin) => {
      const { response } = await attempt(origin, outgoing, options);
      const { data } = modelListSchema.safeParse(await response.json().catch(() => undefined));
      return data?.data.filter(({ id }) => serves(origin, id));
    }),
  );
  const answered = lists.filter((list) => list !== undefined);
  if (answered.length === 0) return undefined;
  const all = answered.flat();
  const isFirst = ({ id }: { id: string }, index: number) =>
    all.findIndex((model) => model.id === id) === index;
  return { object: "list", data: all.filter(isFirst) };
}
