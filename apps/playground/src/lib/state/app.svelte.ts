import { getContext, setContext } from "svelte";
import { levelColumns } from "#lib/notebook/levelColumns.ts";
import { Autosave } from "./autosave.svelte.ts";
import { Connection } from "./connection.svelte.ts";
import { Notices } from "./notices.svelte.ts";
import { NotebookState } from "./notebook.svelte.ts";
import { Runner } from "./runner.svelte.ts";

/** Everything the page's components share. */
export class App {
  readonly connection = new Connection();
  readonly notebook = new NotebookState();
  readonly autosave = new Autosave(this.notebook);
  readonly runner = new Runner(this.notebook, this.connection, (cellId, output) =>
    this.autosave.keepDraft(cellId, output),
  );
  /** Which panel or dialog is open; the panels are, where the screen has room for them. */
  inspector = $state(true);
  dialog = $state<"palette" | "shortcuts" | "connection" | "history" | "share" | undefined>();
  sidebar = $state(true);
  readonly notices = new Notices();
  /** While files are dragged over the page: the cell they would go into, or "page". */
  dropping = $state<string | undefined>();

  constructor() {
    this.notebook.outputs.onChange = (change) => void this.autosave.keepOutputs(change);
    this.notebook.onRefused = () =>
      this.notices.say({
        about: "shared copy",
        kind: "info",
        text: "This is a shared copy. Keep it as yours to change it.",
      });
    this.connection.onFilesOnly = () =>
      this.notices.say({
        about: "place",
        kind: "info",
        text: "There is no endpoint at this address. Cells run in this browser; the first one downloads the model.",
      });
    this.notebook.beginning = (type) => {
      const { models } = this.connection;
      const columns = levelColumns(models, this.connection.model(this.notebook.model)?.name);
      return type === "compare" && columns.length > 1 ? { columns } : {};
    };
  }

  /** Goes by what this browser has and reaches, from now on. */
  start(): void {
    this.connection.start();
    this.autosave.start();
  }

  /** Keeps everything now: the page may go away. */
  flush(): void {
    this.runner.flush();
    void this.autosave.flush();
  }

  close(): void {
    this.connection.close();
    this.autosave.close();
  }
}

const key = Symbol("app");

export const provideApp = (app: App): App => setContext(key, app);
export const useApp = (): App => getContext<App>(key);
