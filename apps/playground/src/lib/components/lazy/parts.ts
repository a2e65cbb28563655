/** What the first sight of a page does without. */
import { Part } from "./part.svelte.ts";

/** A component by the module it is the default of. */
const component = <Component>(load: () => Promise<{ default: Component }>): Part<Component> =>
  new Part(async () => (await load()).default);

/** In the order in which they are likely to be wanted. */
export const parts = {
  editor: component(() => import("../ui/CodeEditor.svelte")),
  inspector: component(() => import("../shell/Inspector.svelte")),
  compare: component(() => import("../cells/CompareCell.svelte")),
  sweep: component(() => import("../cells/SweepCell.svelte")),
  evaluate: component(() => import("../cells/EvaluateCell.svelte")),
  finetune: component(() => import("../cells/FineTuneCell.svelte")),
  chart: component(() => import("../cells/ChartCell.svelte")),
  palette: component(() => import("../dialogs/Palette.svelte")),
  plot: component(() => import("../charts/ScatterPlot.svelte")),
  markdownEditor: component(() => import("../ui/MarkdownEditor.svelte")),
  faulty: component(() => import("../cells/FaultyCell.svelte")),
  boxDrawer: component(() => import("../question/BoxDrawer.svelte")),
  shortcuts: component(() => import("../dialogs/ShortcutsDialog.svelte")),
  connection: component(() => import("../dialogs/ConnectionDialog.svelte")),
  history: component(() => import("../dialogs/HistoryDialog.svelte")),
  share: component(() => import("../dialogs/ShareDialog.svelte")),
  files: new Part(() => import("#lib/notebook/files.ts")),
};

/**
 * Loads all of them, one by one while the page has nothing else to do: they are
 * there when they are wanted, also without a network.
 */
export async function loadWhenIdle(): Promise<void> {
  for (const part of Object.values(parts)) {
    await idle();
    // Who wants it then tries again, and is told.
    await part.load().catch(() => undefined);
  }
}

const idle = (): Promise<void> =>
  new Promise((resolve) => {
    // Safari has no such moments.
    if ("requestIdleCallback" in globalThis) requestIdleCallback(() => resolve());
    else setTimeout(resolve, 200);
  });
