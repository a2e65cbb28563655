/** Every command a person can give, once: keyboard, palette and the list of shortcuts read this table. */
import type { NewCellType } from "@tinygptv/notebook";
import type { App } from "./app.svelte.ts";
import { toggleMode } from "mode-watcher";
import { tick } from "svelte";
import { download } from "./download.ts";
import { enterCell, focusCell } from "./focus.ts";

export interface Command {
  id: string;
  label: string;
  group: "Cells" | "Run" | "Notebook" | "View";
  /** In tinykeys' words; single keys work while a cell as a whole has the focus (`keys.ts`). */
  keys?: string;
  /** Works while text is being edited too. */
  everywhere?: boolean;
  /** A single key that also works while nothing has the focus: it shows or leads, and changes nothing. */
  onPage?: boolean;
  run: (app: App) => void;
}

const onSelected = (act: (app: App, id: string) => void) => (app: App) => {
  const id = app.notebook.selected;
  if (id !== undefined) act(app, id);
};

const move = (by: number) =>
  onSelected(({ notebook }, id) => {
    const focused = document.activeElement;
    notebook.move(id, notebook.cells.findIndex((cell) => cell.id === id) + by);
    // What is moved on the page loses the focus; whoever writes goes on writing.
    void tick().then(() => {
      if (document.activeElement !== document.body) return;
      if (focused instanceof HTMLElement && focused.isConnected) focused.focus();
      else focusCell(id);
    });
  });

const add = (type: NewCellType, label: string, keys?: string): Command => ({
  id: `add-${type}`,
  label: `Add ${label}`,
  group: "Cells",
  ...(keys !== undefined && { keys }),
  run: ({ notebook }) => void notebook.add(type),
});

export const commands: readonly Command[] = [
  {
    id: "palette",
    label: "All commands",
    group: "View",
    keys: "$mod+k",
    everywhere: true,
    run: (app) => (app.dialog = "palette"),
  },
  {
    id: "run",
    label: "Run cell",
    group: "Run",
    keys: "$mod+Enter",
    everywhere: true,
    run: onSelected(({ runner }, id) => void runner.run(id)),
  },
  {
    id: "run-all",
    label: "Run all cells",
    group: "Run",
    keys: "$mod+Shift+Enter",
    everywhere: true,
    run: ({ runner }) => void runner.runAll(),
  },
  {
    id: "run-below",
    label: "Run this cell and all below",
    group: "Run",
    keys: "Shift+R",
    run: onSelected(({ runner }, id) => void runner.runBelow(id)),
  },
  {
    id: "stop",
    label: "Stop everything",
    group: "Run",
    keys: "$mod+.",
    everywhere: true,
    run: ({ runner }) => runner.stopAll(),
  },
  add("prompt", "prompt", "p"),
  add("text", "text", "t"),
  add("picture", "picture", "i"),
  add("compare", "comparison", "c"),
  add("sweep", "sweep", "w"),
  add("evaluate", "evaluation"),
  add("finetune", "fine-tuning"),
  add("chart", "chart"),
  {
    id: "next",
    label: "Next cell",
    group: "Cells",
    keys: "j",
    onPage: true,
    run: ({ notebook }) => notebook.step(1),
  },
  {
    id: "previous",
    label: "Previous cell",
    group: "Cells",
    keys: "k",
    onPage: true,
    run: ({ notebook }) => notebook.step(-1),
  },
  {
    id: "enter",
    label: "Write in the cell",
    group: "Cells",
    keys: "Enter",
    run: onSelected((_app, id) => enterCell(id)),
  },
  {
    id: "move-down",
    label: "Move cell down",
    group: "Cells",
    keys: "Alt+ArrowDown",
    everywhere: true,
    run: move(1),
  },
  {
    id: "move-up",
    label: "Move cell up",
    group: "Cells",
    keys: "Alt+ArrowUp",
    everywhere: true,
    run: move(-1),
  },
  {
    id: "duplicate",
    label: "Duplicate cell",
    group: "Cells",
    keys: "d",
    run: onSelected(({ notebook }, id) => notebook.duplicate(id)),
  },
  {
    id: "delete",
    label: "Delete cell",
    group: "Cells",
    keys: "Backspace",
    run: onSelected(({ notebook }, id) => notebook.remove(id)),
  },
  {
    id: "undo",
    label: "Undo cell operation",
    group: "Cells",
    keys: "$mod+z",
    run: ({ notebook }) => notebook.history.undo(),
  },
  {
    id: "redo",
    label: "Redo cell operation",
    group: "Cells",
    keys: "$mod+Shift+z",
    run: ({ notebook }) => notebook.history.redo(),
  },
  {
    id: "settings",
    label: "Settings of the cell",
    group: "View",
    keys: "$mod+i",
    everywhere: true,
    run: (app) => (app.inspector = !app.inspector),
  },
  {
    id: "notebooks",
    label: "Notebooks",
    group: "View",
    keys: "$mod+b",
    everywhere: true,
    run: (app) => (app.sidebar = !app.sidebar),
  },
  {
    id: "colours",
    label: "Light or dark colours",
    group: "View",
    run: () => toggleMode(),
  },
  {
    id: "shortcuts",
    label: "Keyboard shortcuts",
    group: "View",
    keys: "Shift+?",
    onPage: true,
    run: (app) => (app.dialog = "shortcuts"),
  },
  {
    id: "connection",
    label: "Connection to the endpoint",
    group: "View",
    run: (app) => (app.dialog = "connection"),
  },
  {
    id: "history",
    label: "Earlier versions",
    group: "Notebook",
    run: (app) => (app.dialog = "history"),
  },
  {
    id: "share",
    label: "Share a read-only copy",
    group: "Notebook",
    run: (app) => (app.dialog = "share"),
  },
  {
    id: "download-markdown",
    label: "Download as Markdown",
    group: "Notebook",
    keys: "$mod+s",
    everywhere: true,
    run: (app) => download(app, (files) => files.downloadNotebook(app, "markdown")),
  },
  {
    id: "download-plain",
    label: "Download as plain Markdown, without outputs and pictures",
    group: "Notebook",
    run: (app) => download(app, (files) => files.downloadNotebook(app, "plain")),
  },
  {
    id: "download-ipynb",
    label: "Download for Jupyter",
    group: "Notebook",
    run: (app) => download(app, (files) => files.downloadNotebook(app, "ipynb")),
  },
  {
    id: "download-html",
    label: "Download as a web page",
    group: "Notebook",
    run: (app) => download(app, (files) => files.downloadNotebook(app, "html")),
  },
];

const isMac = typeof navigator !== "undefined" && /Mac|iPhone|iPad/.test(navigator.userAgent);

const symbols: Record<string, string> = {
  $mod: isMac ? "⌘" : "Ctrl",
  Shift: "⇧",
  Alt: isMac ? "⌥" : "Alt",
  Enter: "↵",
  ArrowDown: "↓",
  ArrowUp: "↑",
  Backspace: "⌫",
};

/** `$mod+Shift+z` -> `Ctrl ⇧ Z` */
export const keyNames = (keys: string): string =>
  keys
    .split("+")
    .map((key) => symbols[key] ?? (key.length === 1 ? key.toUpperCase() : key))
    .join(" ");
