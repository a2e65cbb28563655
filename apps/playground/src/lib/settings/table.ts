/**
 * Every decoding parameter a person can turn, as the table of parameters has
 * it. The inspector's controls, sweep axes, limits, checks and what a cell says
 * about itself all come from here.
 */
import { inspection } from "@tinygptv/notebook";
import { decodingDefaults, decodingNames, ownerOf, rowOf } from "@tinygptv/protocol";
import type {
  Control,
  DecodingMethod,
  DecodingName,
  DecodingParams,
  ParameterRow,
} from "@tinygptv/protocol";
import type { ChoiceSetting, Setting } from "./kinds.ts";

/** What a parameter is in a notebook where a cell does not say; its stop texts are further ones. */
const fallbacks: DecodingParams = {
  ...decodingDefaults,
  stop: [],
  badWords: [],
  ...inspection,
};

/** What is said of a kind beside what its parameter does. */
const hints: Partial<Record<Control["kind"], string>> = {
  texts: "One a line.",
  biases: "Ids are shown under Tokens.",
};

const isWhole = (control: Control): boolean =>
  control.kind === "seed" || (control.kind === "number" && Number.isInteger(control.step));

function settingFor(key: DecodingName, { control, label, help, more }: ParameterRow): Setting {
  const hint = hints[control.kind];
  return {
    ...control,
    key,
    label,
    help: hint === undefined ? help : `${help} ${hint}`,
    fallback: fallbacks[key],
    owner: ownerOf(key),
    more: more ?? false,
    integer: isWhole(control),
  } as Setting;
}

/** Those of single methods first: they say most about an answer. */
export const settings: readonly Setting[] = decodingNames
  .map((name) => ({ name, row: rowOf(name) }))
  .filter(({ row }) => row.implied === undefined)
  .map(({ name, row }) => settingFor(name, row))
  .toSorted((a, b) => Number(b.owner !== undefined) - Number(a.owner !== undefined));

export const settingOf = (key: string): Setting | undefined =>
  settings.find((setting) => setting.key === key);

export const methodSetting = settingOf("method") as ChoiceSetting;

/** What goes with a method, besides the method itself. */
export const settingsFor = (method: DecodingMethod): Setting[] =>
  settings.filter((setting) => setting !== methodSetting && (setting.owner ?? method) === method);
