/** What a model is asked for by: `nano:int8`, `nano` for its default level, and `+NAME` for an adapter beside it. */

const separator = "+";

/** The id of an adapter beside a level. */
export const adapterId = (model: string, adapter: string): string => model + separator + adapter;

/** The model of an id, and the adapter beside it, if any. */
export function splitId(id: string): { model: string; adapter?: string } {
  const at = id.lastIndexOf(separator);
  return at < 0 ? { model: id } : { model: id.slice(0, at), adapter: id.slice(at + 1) };
}

/** Whether it is this one that is asked for; the first of a name is its default level. */
export function isAskedFor(
  { id, name, adapter }: { id: string; name: string; adapter?: string | undefined },
  asked: string | undefined,
): boolean {
  const short = adapter === undefined ? name : adapterId(name, adapter);
  return asked === undefined || asked === id || asked === short;
}
