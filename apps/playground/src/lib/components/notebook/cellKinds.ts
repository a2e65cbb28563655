import ChartColumn from "@lucide/svelte/icons/chart-column";
import ClipboardCheck from "@lucide/svelte/icons/clipboard-check";
import Columns3 from "@lucide/svelte/icons/columns-3";
import GraduationCap from "@lucide/svelte/icons/graduation-cap";
import Image from "@lucide/svelte/icons/image";
import MessageSquare from "@lucide/svelte/icons/message-square";
import Rows4 from "@lucide/svelte/icons/rows-4";
import TriangleAlert from "@lucide/svelte/icons/triangle-alert";
import Type from "@lucide/svelte/icons/type";
import type { Component } from "svelte";
import type { CellType, NewCellType } from "@tinygptv/notebook";
import PictureCell from "../cells/PictureCell.svelte";
import PromptCell from "../cells/PromptCell.svelte";
import TextCell from "../cells/TextCell.svelte";
import { Part } from "../lazy/part.svelte.ts";
import { parts } from "../lazy/parts.ts";

export interface CellKind<Type extends CellType = CellType> {
  type: Type;
  label: string;
  help: string;
  icon: Component;
  /** What is in its frame; that of other than simple cells is loaded with the first of them. */
  body: Part<Component<{ cell: never }>>;
  /** Height before it was ever laid out, in px. */
  estimate: number;
}

/** Kinds a person can add. */
export const cellKinds: readonly CellKind<NewCellType>[] = [
  {
    type: "prompt",
    label: "Prompt",
    help: "Ask the model something",
    icon: MessageSquare,
    body: Part.of(PromptCell),
    estimate: 260,
  },
  {
    type: "picture",
    label: "Picture",
    help: "Drop, paste, take or choose one",
    icon: Image,
    body: Part.of(PictureCell),
    estimate: 300,
  },
  {
    type: "text",
    label: "Text",
    help: "Notes in Markdown",
    icon: Type,
    body: Part.of(TextCell),
    estimate: 100,
  },
  {
    type: "compare",
    label: "Compare",
    help: "One prompt over levels or settings, side by side",
    icon: Columns3,
    body: parts.compare,
    estimate: 420,
  },
  {
    type: "sweep",
    label: "Sweep",
    help: "One prompt over the values of a parameter",
    icon: Rows4,
    body: parts.sweep,
    estimate: 360,
  },
  {
    type: "evaluate",
    label: "Evaluate",
    help: "A small set of questions with known answers",
    icon: ClipboardCheck,
    body: parts.evaluate,
    estimate: 360,
  },
  {
    type: "finetune",
    label: "Fine-tune",
    help: "Teach the model the answers of an evaluation",
    icon: GraduationCap,
    body: parts.finetune,
    estimate: 360,
  },
  {
    type: "chart",
    label: "Chart",
    help: "Draw what another cell measured",
    icon: ChartColumn,
    body: parts.chart,
    estimate: 320,
  },
];

const faulty: CellKind = {
  type: "faulty",
  label: "Not understood",
  help: "A cell of a file that has mistakes in it",
  icon: TriangleAlert,
  body: parts.faulty,
  estimate: 220,
};

export const kindOf = (type: CellType): CellKind =>
  cellKinds.find((kind) => kind.type === type) ?? faulty;
