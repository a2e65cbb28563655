/** What tells a cell's answers apart: how each was asked, in words. */
import { levelOf } from "@tinygptv/notebook";
import type { Output, Run } from "@tinygptv/notebook";
import { inWords, lower } from "#lib/settings/decoding.ts";
import type { Setting } from "#lib/settings/kinds.ts";
import { pictureModeChoice } from "#lib/settings/question.ts";
import { methodSetting, settings } from "#lib/settings/table.ts";

/** One thing an answer depends on: what is compared, and how it reads. */
interface Aspect {
  value: unknown;
  words: string;
}

const maxQuoted = 80;
const quoted = (text: string): string =>
  `“${text.length > maxQuoted ? `${text.slice(0, maxQuoted - 1)}…` : text}”`;
const unique = (texts: readonly string[]): string => [...new Set(texts)].join(", ");

/** `temperature 0.8`; a method says by itself what it is. */
const described = (setting: Setting, value: unknown): string => {
  const name = setting === methodSetting ? "" : `${lower(setting.label)} `;
  return value === undefined ? `no ${lower(setting.label)}` : lower(name + inWords(setting, value));
};

const requestOf = (run: Run | undefined) => run?.answers.at(-1)?.request;

/** In the order they are said; each run of an output was asked in one way. */
const aspects: readonly ((output: Output) => Aspect)[] = [
  ({ runs }) => {
    const asked = [
      ...new Set(runs.map((run) => requestOf(run)?.rounds.map((round) => round.prompt))),
    ]
      .flat()
      .filter((prompt) => prompt !== undefined);
    return { value: asked, words: quoted([...new Set(asked)].join(" / ")) };
  },
  ({ runs }) => ({
    value: runs.map((run) => [run.pictures, run.answers.at(-1)?.images.map(({ hash }) => hash)]),
    words: unique(runs.flatMap((run) => run.pictures)) || "no picture",
  }),
  ({ runs }) => {
    const tasks = runs.map((run) => requestOf(run)?.task);
    return { value: tasks, words: unique(tasks.map((task) => (task ? `[${task}]` : "no task"))) };
  },
  ({ runs }) => {
    const templates = runs.map((run) => requestOf(run)?.template ?? "default");
    return { value: templates, words: `template ${unique(templates)}` };
  },
  ({ runs }) => {
    const modes = runs.map((run) => requestOf(run)?.imageMode);
    return {
      value: modes,
      words: `pictures ${pictureModeChoice.options.find((option) => option.value === modes[0])?.label ?? "as people see them"}`,
    };
  },
  ({ runs }) => {
    const levels = runs.map((run) => levelOf(run) ?? "");
    return { value: levels, words: unique(levels) };
  },
  ({ runs }) => {
    const labels = runs.length > 1 ? runs.map(({ label }) => label) : [];
    return { value: labels, words: unique(labels) };
  },
  ({ runs }) => {
    const begun = requestOf(runs[0])?.answerPrefix ?? [];
    return { value: begun, words: begun.length === 0 ? "answered freely" : "a branch" };
  },
  ...settings.map((setting) => ({ runs }: Output): Aspect => {
    const values = runs.map(({ decoding }) => decoding[setting.key] ?? setting.fallback);
    return { value: values, words: unique(values.map((value) => described(setting, value))) };
  }),
  ({ runs }) => {
    const drawn = runs.map((run) =>
      run.decoding.seed === undefined ? run.answers.at(-1)?.seed : undefined,
    );
    return {
      value: drawn,
      words: `drew seed ${drawn.filter((seed) => seed !== undefined).join(", ")}`,
    };
  },
];

/** What one of a cell's answers was asked with that not all of them were, in words. */
export function whatDiffers(outputs: readonly Output[], index: number): string[] {
  const shown = outputs[index];
  if (shown === undefined) return [];
  const found = aspects.flatMap((aspect) => {
    const all = outputs.map((output) => JSON.stringify(aspect(output).value));
    const { words } = aspect(shown);
    return new Set(all).size > 1 && words !== "" ? [words] : [];
  });
  return found.length === 0 ? ["asked in the same way"] : found;
}
