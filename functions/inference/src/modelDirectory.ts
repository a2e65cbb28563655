import type { Engine, ModelInfo } from "@tinygptv/protocol";
import { HttpError } from "./errors.ts";

export interface ModelDirectory {
  /** All levels as they are now; a name's default level comes first. */
  list(): Promise<ModelInfo[]>;
  /**
   * The full id (`name:level`) of a model as callers name it; the default model where they do not.
   * @throws HttpError model_not_found
   */
  idOf(requested: string | undefined, param?: string): Promise<string>;
}

/** Which models there are does not change while the engine runs, so ids are looked up without asking it. */
export function createModelDirectory(engine: Engine): ModelDirectory {
  let known: readonly Pick<ModelInfo, "id" | "name">[] = [];
  const list = async () => {
    const models = await engine.models();
    known = models.map(({ id, name }) => ({ id, name }));
    return models;
  };
  return {
    list,
    async idOf(requested, param = "model") {
      if (known.length === 0) await list();
      const found = known.find(
        ({ id, name }) => requested === undefined || id === requested || name === requested,
      );
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
