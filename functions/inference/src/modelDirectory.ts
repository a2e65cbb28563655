import { isAskedFor, splitId } from "@tinygptv/protocol";
import type { Engine, ModelInfo } from "@tinygptv/protocol";
import { HttpError } from "./errors.ts";

export interface ModelDirectory {
  /** All levels, and adapters beside them, as they are now; a name's default level comes first. */
  list(): Promise<ModelInfo[]>;
  /**
   * The full id (`name:level`, `name:level+adapter`) of a model as callers name it; the default model where they do not.
   * @throws HttpError model_not_found
   */
  idOf(requested: string | undefined, param?: string): Promise<string>;
}

/** Levels do not change while the engine runs, so it is asked for them once; of adapters it is asked again for one that is not known yet. */
export function createModelDirectory(engine: Engine): ModelDirectory {
  let known: readonly Pick<ModelInfo, "id" | "name" | "adapter">[] = [];
  const list = async () => {
    const models = await engine.models();
    known = models.map(({ id, name, adapter }) => ({ id, name, adapter }));
    return models;
  };
  return {
    list,
    async idOf(requested, param = "model") {
      const find = () => known.find((model) => isAskedFor(model, requested));
      const isAdapter = requested !== undefined && splitId(requested).adapter !== undefined;
      if (known.length === 0 || (isAdapter && !find())) await list();
      const found = find();
      if (found) return found.id;
      const ids = known.map(({ id }) => id).join(", ");
      throw new HttpError(
        "model_not_found",
        `${param}: want one of ${ids}, got ${JSON.stringify(requested)}`,
        {
          param,
        },
      );
    },
  };
}
