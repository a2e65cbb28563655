import type { Column } from "@tinygptv/notebook";
import type { ModelInfo } from "@tinygptv/protocol";

const maxColumns = 8;

/** A comparison's columns: one for each level of a model; adapters beside them are columns of one's own. */
export const levelColumns = (models: readonly ModelInfo[], model: string | undefined): Column[] =>
  models
    .filter(({ name, adapter }) => name === model && adapter === undefined)
    .slice(0, maxColumns)
    .map(({ id, level }) => ({ label: level, model: id }));
