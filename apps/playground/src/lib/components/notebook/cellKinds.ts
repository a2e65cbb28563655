import ChartColumn from "@lucide/svelte/icons/chart-column";
import ClipboardCheck from "@lucide/svelte/icons/clipboard-check";
import Columns3 from "@lucide/svelte/icons/columns-3";
import Image from "@lucide/svelte/icons/image";
import MessageSquare from "@lucide/svelte/icons/message-square";
import Rows4 from "@lucide/svelte/icons/rows-4";
import TriangleAlert from "@lucide/svelte/icons/triangle-alert";
import Type from "@lucide/svelte/icons/type";
import type { Component } from "svelte";
import type { CellType, NewCellType } from "@tinygptv/notebook";
import ChartCell from "../cells/ChartCell.svelte";
import CompareCell from "../cells/CompareCell.svelte";
import FaultyCell from "../cells/FaultyCell.svelte";
import EvaluateCell from "../cells/EvaluateCell.svelte";
import PictureCell from "../cells/PictureCell.svelte";
import PromptCell from "../cells/PromptCell.svelte";
import SweepCell from "../cells/SweepCell.svelte";
import TextCell from "../cells/TextCell.svelte";

export interface CellKind<Type extends CellType = CellType> {
  type: Type;
  label: string;
  help: string;
  icon: Component;
  component: Component<{ cell: never }>;
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
    component: PromptCell,
    estimate: 260,
  },
  {
    type: "picture",
    label: "Picture",
    help: "Drop, paste, take or choose one",
    icon: Image,
    component: PictureCell,
    estimate: 300,
  },
  {
    type: "text",
    label: "Text",
    help: "Notes in Markdown",
    icon: Type,
    component: TextCell,
    estimate: 100,
  },
  {
    type: "compare",
    label: "Compare",
    help: "One prompt over levels or settings, side by side",
    icon: Columns3,
    component: CompareCell,
    estimate: 420,
  },
  {
    type: "sweep",
    label: "Sweep",
    help: "One prompt over the values of a parameter",
    icon: Rows4,
    component: SweepCell,
    estimate: 360,
  },
  {
    type: "evaluate",
    label: "Evaluate",
    help: "A small set of questions with known answers",
    icon: ClipboardCheck,
    component: EvaluateCell,
    estimate: 360,
  },
  {
    type: "chart",
    label: "Chart",
    help: "Draw what another cell measured",
    icon: ChartColumn,
    component: ChartCell,
    estimate: 320,
  },
];

const faulty: CellKind = {
  type: "faulty",
  label: "Not understood",
  help: "A cell of a file that has mistakes in it",
  icon: TriangleAlert,
  component: FaultyCell,
  estimate: 220,
};

export const kindOf = (type: CellType): CellKind =>
  cellKinds.find((kind) => kind.type === type) ?? faulty;
