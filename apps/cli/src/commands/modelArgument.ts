import { exists } from "@tinygptv/model/disk";
import { splitId } from "@tinygptv/protocol";

/** A model folder as commands take it, and after a plus the adapter beside it, if any. A folder whose own name has a plus in it is meant as it is. */
export async function modelArgument(
  argument: string,
): Promise<{ folder: string; adapter?: string }> {
  const { model, adapter } = splitId(argument);
  if (adapter === undefined || (await exists(argument))) return { folder: argument };
  return { folder: model, adapter };
}
