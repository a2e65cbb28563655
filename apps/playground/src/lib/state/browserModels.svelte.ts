import type { LoadProgress, PageLevel, PageProvider } from "tinygptv/web";
import { browserEngine } from "#lib/client/browserEngine.ts";
import { isAborted } from "#lib/client/engine.ts";

const storageKey = "browserRunsOn";

/** The levels that can run in this browser, and what of them is here. */
export class BrowserModels {
  levels = $state.raw<readonly PageLevel[]>([]);
  /** Of the download under way, whoever asked for it. */
  progress = $state.raw<LoadProgress>();
  /** The level that is being loaded from the list. */
  loading = $state<string>();
  /** What they run on, as a person chose it. */
  provider = $state<PageProvider>("auto");
  /** What went wrong last. */
  problem = $state("");
  readonly engine = browserEngine((progress) => this.#hear(progress));
  #stop = new AbortController();

  /** Reads what was chosen in this browser. */
  start(): void {
    const saved = localStorage.getItem(storageKey);
    if (saved === "webgpu" || saved === "wasm") this.#runOn(saved);
  }

  async refresh(): Promise<void> {
    await this.#trying(async () => {});
  }

  /** Lets levels run on something else from now on; what runs is stopped. */
  async choose(provider: PageProvider): Promise<void> {
    localStorage.setItem(storageKey, provider);
    this.#runOn(provider);
    await this.refresh();
  }

  #runOn(provider: PageProvider): void {
    this.provider = provider;
    this.engine.runOn(provider);
  }

  /** Downloads a level, or the rest of it, and opens it. */
  async load(id: string): Promise<void> {
    this.#stop = new AbortController();
    this.loading = id;
    await this.#trying(() => this.engine.load(id, this.#stop.signal));
    this.loading = undefined;
  }

  /** What has come stays, and the next load goes on from there. */
  stop(): void {
    this.#stop.abort();
  }

  async remove(id: string): Promise<void> {
    await this.#trying(() => this.engine.remove(id));
  }

  /** Does something, then looks at what is here. */
  async #trying(work: () => Promise<void>): Promise<void> {
    this.problem = "";
    try {
      await work();
    } catch (error) {
      if (!isAborted(error)) this.problem = error instanceof Error ? error.message : String(error);
    }
    this.progress = undefined;
    try {
      this.levels = await this.engine.levels();
    } catch (error) {
      this.problem ||= error instanceof Error ? error.message : String(error);
    }
  }

  #hear(progress: LoadProgress): void {
    this.progress = progress.done < progress.total ? progress : undefined;
  }
}
