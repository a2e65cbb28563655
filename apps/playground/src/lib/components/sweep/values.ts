import type { Axis } from "@tinygptv/notebook";
import { complaint } from "#lib/settings/check.ts";
import type { Choice, Setting } from "#lib/settings/kinds.ts";
import { taskChoice, templateChoice } from "#lib/settings/question.ts";
import { settingOf } from "#lib/settings/table.ts";

const maxValues = 64;
/** Values to begin with are not more than these. */
const maxSuggested = 8;

/** A parameter as the tables describe it; the levels are those of the endpoint. */
export function axisSetting(parameter: string, models: readonly string[]): Setting | Choice {
  const choices: Record<string, Choice> = {
    task: taskChoice,
    template: templateChoice,
    model: {
      kind: "choice",
      label: "Level",
      help: "",
      options: models.map((id) => ({ value: id, label: id })),
    },
  };
  const setting = choices[parameter] ?? settingOf(parameter);
  if (setting === undefined) throw new Error(`want a parameter of the tables, got ${parameter}`);
  return setting;
}

/** What a person typed as an axis: `0.2, 0.6, 1`, a range `1..5`, or words where the parameter is a choice. */
export function parseValues(
  setting: Setting | Choice,
  text: string,
): { values: Axis["values"] } | { problem: string } {
  const parts = text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
  const values = parts.flatMap((part) => range(part) ?? [value(part)]);
  if (values.length === 0) return { problem: `${setting.label}: want at least one value` };
  if (values.length > maxValues)
    return { problem: `${setting.label}: want at most ${maxValues} values, got ${values.length}` };
  for (const candidate of values) {
    const problem = complaint(setting, candidate);
    if (problem !== undefined) return { problem };
  }
  return { values };
}

function range(part: string): number[] | undefined {
  const match = /^(\d+)\.\.(\d+)$/.exec(part);
  if (match === null) return undefined;
  const [from, to] = [Number(match[1]), Number(match[2])];
  return Array.from(
    { length: Math.min(maxValues + 1, Math.max(0, to - from + 1)) },
    (_, i) => from + i,
  );
}

function value(part: string): string | number | boolean {
  if (part === "true" || part === "false") return part === "true";
  return Number.isFinite(Number(part)) ? Number(part) : part;
}

/** Values to begin with when a parameter is chosen. */
export function suggestedValues(setting: Setting | Choice): Axis["values"] {
  switch (setting.kind) {
    case "choice":
      return setting.options.slice(0, maxSuggested).map((option) => option.value);
    case "seed":
      return [1, 2, 3, 4];
    case "number": {
      const { min, max, step } = setting;
      const points = [0, 1, 2, 3].map((i) => min + ((max - min) * i) / 3);
      return [
        ...new Set(points.map((point) => Number((Math.round(point / step) * step).toFixed(4)))),
      ];
    }
    case "texts":
    case "biases":
    case "schema":
      throw new Error(`want a parameter of one value, got ${setting.key}`);
  }
}
