import type { Column } from "@tinygptv/notebook";
import type { ModelInfo } from "@tinygptv/protocol";

const maxColumns = 8;

/** A comparison's columns: one for each level of a model. */
export const levelColumns = (models: readonly ModelInfo[], model: string | undefined): Column[] =>
  models
    .filter(({ name }) => name === model)
    .slice(0, maxColumns)
    .map(({ id, level }) => ({ label: level, model: id }));
