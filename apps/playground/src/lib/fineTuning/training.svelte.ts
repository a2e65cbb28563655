import type { CellOf, Notebook, OutputOf } from "@tinygptv/notebook";
import { TinyGptvError } from "@tinygptv/protocol";
import type { FineTuningEstimate, FineTuningEvent, FineTuningJob } from "@tinygptv/protocol/http";
import { fineTuning } from "#lib/client/fineTuning.ts";
import type { Endpoint } from "#lib/client/http.ts";
import { newId } from "#lib/notebook/newId.ts";
import { courseOf } from "./figures.ts";
import { exampleRows } from "./rows.ts";

/** Milliseconds until a lost server is asked again. */
const patience = 1000;

/** What a cell needs of the page. */
interface Surroundings {
  readonly endpoint: Endpoint;
  readonly notebook: Notebook;
  readonly outputOf: OutputOf;
  /** Level that is trained over. */
  readonly model: string;
}

/** A training at the endpoint, as its cell shows it. The server runs it; the page only looks. */
export class Training {
  job = $state.raw<FineTuningJob>();
  cost = $state.raw<FineTuningEstimate>();
  events = $state.raw<readonly FineTuningEvent[]>([]);
  problem = $state("");
  /** Something was asked of the server that is not answered yet. */
  waits = $state(false);
  readonly course = $derived(courseOf(this.events));
  readonly isOpen = $derived(
    this.job !== undefined && ["validating_files", "queued", "running"].includes(this.job.status),
  );
  readonly #gone = new AbortController();
  readonly #ended: (training: Training) => void;

  /** @param ended hears when it has ended, whichever way */
  constructor(ended: (training: Training) => void) {
    this.#ended = ended;
  }

  /** Looks at a training that there is: it may have gone on without this page. */
  look(endpoint: Endpoint, id: string): Promise<void> {
    return this.#asking(async () => {
      this.job = await fineTuning(endpoint).job(id, this.#gone.signal);
      void this.#follow(endpoint, id);
    });
  }

  estimate(cell: CellOf<"finetune">, at: Surroundings): Promise<void> {
    return this.#asking(async () => {
      const rows = await exampleRows(cell, at.notebook, at.outputOf);
      const api = fineTuning(at.endpoint);
      this.cost = await api.estimate(settingsOf(cell, at.model), rows, this.#gone.signal);
    });
  }

  /** @returns the id of the training that was begun; undefined where it was not */
  async begin(cell: CellOf<"finetune">, at: Surroundings): Promise<string | undefined> {
    let id: string | undefined;
    await this.#asking(async () => {
      const rows = await exampleRows(cell, at.notebook, at.outputOf);
      const api = fineTuning(at.endpoint);
      // Never over another one of the same name.
      const suffix = `${(cell.name ?? "tuned").toLowerCase().slice(0, 30)}-${newId().slice(0, 4)}`;
      const settings = { ...settingsOf(cell, at.model), suffix };
      this.job = await api.create(settings, rows, this.#gone.signal);
      this.events = [];
      ({ id } = this.job);
      void this.#follow(at.endpoint, id);
    });
    return id;
  }

  stop(endpoint: Endpoint): Promise<void> {
    return this.#asking(async () => {
      this.job = await fineTuning(endpoint).stop(this.job!.id);
    });
  }

  goOn(endpoint: Endpoint): Promise<void> {
    return this.#asking(async () => {
      this.job = await fineTuning(endpoint).goOn(this.job!.id);
      void this.#follow(endpoint, this.job.id);
    });
  }

  /** Looks no longer; the server goes on. */
  close(): void {
    this.#gone.abort();
  }

  /** Takes events until the training has ended, over losses of the connection. */
  async #follow(endpoint: Endpoint, id: string): Promise<void> {
    const api = fineTuning(endpoint);
    const { signal } = this.#gone;
    while (!signal.aborted) {
      try {
        for await (const event of api.follow(id, this.events.at(-1)?.id ?? "", signal)) {
          this.events = [...this.events, event];
          const { status, step } = event.data ?? {};
          if (this.job && (status !== undefined || step !== undefined))
            this.job = {
              ...this.job,
              ...(status && { status }),
              ...(step !== undefined && { step }),
            };
        }
        this.job = await api.job(id, signal);
        if (!this.isOpen) return this.#ended(this);
      } catch (error) {
        if (!(error instanceof TinyGptvError) || error.code !== "network") {
          if (!signal.aborted) this.problem = messageOf(error);
          return;
        }
        await new Promise((resolve) => setTimeout(resolve, patience));
      }
    }
  }

  async #asking(work: () => Promise<void>): Promise<void> {
    this.problem = "";
    this.waits = true;
    try {
      await work();
    } catch (error) {
      if (!this.#gone.signal.aborted) this.problem = messageOf(error);
    } finally {
      this.waits = false;
    }
  }
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

const settingsOf = ({ regime, steps, rank, rate }: CellOf<"finetune">, model: string) => ({
  model,
  regime,
  hyperparameters: { steps, rank, learning_rate: rate },
});
