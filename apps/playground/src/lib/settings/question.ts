/** What a question can be besides its words: task, template and how its pictures are read. */
import { tasks, templates } from "@tinygptv/protocol";
import type { Task, Template } from "@tinygptv/protocol";
import type { Choice } from "./kinds.ts";

const taskHelp: Record<Task, string> = {
  vqa: "A short answer to a question.",
  caption: "A short description of the picture.",
  refer: "Where something is: a box for the words asked about.",
  identify: "What is inside a box: put {<x1><y1><x2><y2>} into the question.",
  grounding: "A description with a box for each thing it names.",
  detection: "Boxes of the objects named.",
};

const templateHelp: Record<Template, string> = {
  stage4: "The stage 4 demo: [INST] around picture and question.",
  stage3: "The demo of stages 1 to 3: its system text, then ###Human and ###Assistant.",
  evaluation: "Evaluation by generation: ###Human and ###Assistant, no system text.",
  choice: "Evaluation by choice: as evaluation, with a space before the second ###.",
  raw: "The question as it is; <ImageHere> marks the places of the pictures.",
};

export const defaultTemplate: Template = "stage4";

export const taskChoice: Choice = {
  kind: "choice",
  label: "Task",
  help: "The model is asked freely, without a task tag.",
  options: tasks.map((task) => ({ value: task, label: `[${task}]`, help: taskHelp[task] })),
};

export const templateChoice: Choice = {
  kind: "choice",
  label: "Template",
  help: templateHelp[defaultTemplate],
  options: templates.map((template) => ({
    value: template,
    label: template,
    help: templateHelp[template],
  })),
};

export const pictureModeChoice: Choice = {
  kind: "choice",
  label: "Pictures",
  help: "Turned as the camera was held, transparency over white.",
  options: [
    {
      value: "reference",
      label: "as the reference reads them",
      help: "Not turned, transparency dropped.",
    },
  ],
};

/** As a select takes them. */
export const optionsOf = ({ options }: Choice): { value: string; label: string }[] =>
  options.map(({ value, label }) => ({ value: String(value), label }));

/** What is chosen, in a line; nothing chosen: what holds then. */
export const helpOf = ({ options, help }: Choice, value: unknown): string =>
  options.find((option) => option.value === value)?.help ?? help;
