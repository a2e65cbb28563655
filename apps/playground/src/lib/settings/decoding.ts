/** A cell's decoding as its controls change it and as it reads in words. */
import { canonicalJson } from "@tinygptv/notebook";
import { decodingPresets, methodOf, ownerOf } from "@tinygptv/protocol";
import type { DecodingMethod, DecodingParams } from "@tinygptv/protocol";
import type { Setting } from "./kinds.ts";
import { methodSetting, settingOf } from "./table.ts";

type Key = keyof DecodingParams;

export const presets: readonly { key: string; label: string; decoding: DecodingParams }[] = [
  { key: "greedy", label: "Greedy", decoding: decodingPresets.greedy },
  { key: "demoStage4", label: "Stage 4 demo", decoding: decodingPresets.demoStage4 },
  { key: "demoStage3", label: "Stage 3 demo", decoding: decodingPresets.demoStage3 },
  { key: "evaluation", label: "Evaluation", decoding: decodingPresets.evaluation },
  {
    key: "beam",
    label: "Three beams",
    decoding: { method: "beam", numBeams: 3, numReturnSequences: 3 },
  },
];

/** Whether two values are the same, whatever order their members are in. */
export const same = (one: unknown, other: unknown): boolean =>
  canonicalJson(one ?? null) === canonicalJson(other ?? null);

/** The method changed: parameters of other methods go, all others stay. */
export function withMethod(decoding: DecodingParams, method: DecodingMethod): DecodingParams {
  const kept = Object.entries(decoding).filter(
    ([key]) => key !== "method" && (ownerOf(key) ?? method) === method,
  );
  return { method, ...Object.fromEntries(kept) };
}

/**
 * A parameter changed; what it is anyway is not written down.
 * @param base what holds where the decoding says nothing, before the defaults
 */
export function withValue(
  decoding: DecodingParams,
  key: Key,
  value: unknown,
  base: DecodingParams = {},
): DecodingParams {
  const { [key]: _old, ...rest } = decoding;
  const anyway = base[key] ?? settingOf(key)?.fallback;
  return value === undefined || same(value, anyway) ? rest : { ...rest, [key]: value };
}

/** A value in words: `64`, `when none can get better soon`, `2 tokens`. */
export function inWords(setting: Setting, value: unknown): string {
  switch (setting.kind) {
    case "choice":
      return setting.options.find((option) => option.value === value)?.label ?? String(value);
    case "texts":
      return (value as string[]).join(" ") || "none";
    case "biases": {
      const count = Object.keys(value as object).length;
      return count === 0 ? "none" : `${count} ${count === 1 ? "token" : "tokens"}`;
    }
    case "schema":
      return value === undefined ? "none" : "given";
    case "number":
    case "seed":
      return String(value);
  }
}

/** `sampling · temperature 0.8 · seed 7`: what a decoding says, in words. */
export function describeDecoding(decoding: DecodingParams): string {
  const parts = Object.entries(decoding).flatMap(([key, value]) => {
    const setting = settingOf(key);
    if (key === "method" || value === undefined) return [];
    return setting === undefined ? [] : [`${lower(setting.label)} ${inWords(setting, value)}`];
  });
  return [lower(inWords(methodSetting, methodOf(decoding))), ...parts].join(" · ");
}

/** As in the middle of a sentence; `JSON Schema` stays as it is. */
export const lower = (label: string): string =>
  /^[A-Z]{2}/.test(label) ? label : label.charAt(0).toLowerCase() + label.slice(1);
