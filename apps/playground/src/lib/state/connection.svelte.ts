import { TinyGptvError, isAskedFor } from "@tinygptv/protocol";
import type { ModelInfo } from "@tinygptv/protocol";
import { httpEngine, type PlaygroundEngine } from "#lib/client/engine.ts";
import type { Endpoint } from "#lib/client/http.ts";
import { BrowserModels } from "./browserModels.svelte.ts";

/** Where cells run. */
export type Place = "server" | "browser";

const storageKey = "endpoint";
const placeKey = "place";
/** How long to wait before asking a lost server again, in ms. */
const retryDelays = [500, 1000, 2000, 4000];
/** How often a server that answers is looked at, and how long it may take, in ms. */
const watchInterval = 2000;
const patience = 3000;

/** Where cells run, whether somebody answers there, and the levels there are. */
export class Connection {
  place = $state<Place>("server");
  endpoint = $state.raw<Endpoint>({ baseUrl: "", key: "" });
  readonly browser = new BrowserModels();
  models = $state.raw<ModelInfo[]>([]);
  /** "lost": nobody answers, we ask again; "refused": somebody does, but not to us. */
  state = $state<"connecting" | "connected" | "lost" | "refused">("connecting");
  message = $state("");
  engine = $derived<PlaygroundEngine>(
    this.place === "browser" ? this.browser.engine : httpEngine(this.endpoint),
  );
  /** Hears that this page has no endpoint, so that cells run in this browser although nobody chose it. */
  onFilesOnly: () => void = () => {};
  #attempt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Reads what this browser used last and connects. */
  start(): void {
    const saved = localStorage.getItem(storageKey);
    if (saved !== null) this.endpoint = readEndpoint(saved);
    if (localStorage.getItem(placeKey) === "browser") this.place = "browser";
    this.browser.start();
    void this.refresh();
  }

  /** Changes the endpoint; the key stays in this browser. */
  use(endpoint: Endpoint): Promise<void> {
    this.endpoint = {
      baseUrl: endpoint.baseUrl.trim().replace(/\/+$/, ""),
      key: endpoint.key.trim(),
    };
    localStorage.setItem(storageKey, JSON.stringify(this.endpoint));
    return this.runIn("server");
  }

  /** Lets cells run at the endpoint or in this browser, from now on. */
  runIn(place: Place): Promise<void> {
    localStorage.setItem(placeKey, place);
    this.place = place;
    this.models = [];
    this.state = "connecting";
    return this.refresh();
  }

  /** Asks for the levels; while nobody answers, asks again by itself. */
  async refresh(): Promise<void> {
    clearTimeout(this.#timer);
    const { engine } = this;
    try {
      const models = await engine.models();
      if (engine !== this.engine) return; // moved meanwhile
      this.models = models;
      this.state = "connected";
      this.message = "";
      this.#attempt = 0;
      if (this.place === "server") this.#watch();
    } catch (error) {
      if (engine !== this.engine) return;
      if (await this.#isFilesOnly()) {
        this.onFilesOnly();
        return this.runIn("browser");
      }
      this.message = error instanceof Error ? error.message : String(error);
      // A refusal (no key, a wrong one) stays one until a person changes something.
      const refused = error instanceof TinyGptvError && error.code === "parameter";
      this.state = refused ? "refused" : "lost";
      if (refused) return;
      const delay = retryDelays[Math.min(this.#attempt++, retryDelays.length - 1)];
      this.#timer = setTimeout(() => void this.refresh(), delay);
    }
  }

  /** Whether nobody has said where cells run, and this page comes from a server of files and no endpoint. */
  async #isFilesOnly(): Promise<boolean> {
    if (this.place === "browser" || localStorage.getItem(placeKey) !== null) return false;
    if (this.endpoint.baseUrl !== "") return false;
    const answer = await fetch("/health").catch(() => undefined);
    return answer !== undefined && !answer.headers.get("content-type")?.includes("json");
  }

  /** Notices within seconds that nobody answers any more, while somebody looks. */
  #watch(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const asked = document.hidden ? Promise.resolve(true) : isReachable(this.endpoint);
      void asked.then((reachable) => {
        if (this.state !== "connected") return;
        if (reachable) this.#watch();
        else void this.refresh();
      });
    }, watchInterval);
  }

  model(id: string | undefined): ModelInfo | undefined {
    return this.models.find((model) => isAskedFor(model, id));
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}

/** Whether the endpoint answers; needs no key, and the page's origin on its list as any other call does. */
async function isReachable({ baseUrl }: Endpoint): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(patience);
    return (await fetch(`${baseUrl}/health`, { signal })).ok;
  } catch {
    return false;
  }
}

function readEndpoint(text: string): Endpoint {
  const data: unknown = JSON.parse(text);
  const read = (key: string): string =>
    typeof data === "object" && data !== null ? String(Reflect.get(data, key) ?? "") : "";
  return { baseUrl: read("baseUrl"), key: read("key") };
}
