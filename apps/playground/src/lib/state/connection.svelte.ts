import { TinyGptvError } from "@tinygptv/protocol";
import type { ModelInfo } from "@tinygptv/protocol";
import { httpEngine, type HttpEngine } from "#lib/client/engine.ts";
import type { Endpoint } from "#lib/client/http.ts";

const storageKey = "endpoint";
/** How long to wait before asking a lost server again, in ms. */
const retryDelays = [500, 1000, 2000, 4000];
/** How often a server that answers is looked at, and how long it may take, in ms. */
const watchInterval = 2000;
const patience = 3000;

/** The endpoint in use, whether it answers, and the levels it serves. */
export class Connection {
  endpoint = $state.raw<Endpoint>({ baseUrl: "", key: "" });
  models = $state.raw<ModelInfo[]>([]);
  /** "lost": nobody answers, we ask again; "refused": somebody does, but not to us. */
  state = $state<"connecting" | "connected" | "lost" | "refused">("connecting");
  message = $state("");
  engine = $derived<HttpEngine>(httpEngine(this.endpoint));
  #attempt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Reads the endpoint this browser used last and connects. */
  start(): void {
    const saved = localStorage.getItem(storageKey);
    if (saved !== null) this.endpoint = readEndpoint(saved);
    void this.refresh();
  }

  /** Changes the endpoint; the key stays in this browser. */
  use(endpoint: Endpoint): Promise<void> {
    this.endpoint = {
      baseUrl: endpoint.baseUrl.trim().replace(/\/+$/, ""),
      key: endpoint.key.trim(),
    };
    localStorage.setItem(storageKey, JSON.stringify(this.endpoint));
    this.state = "connecting";
    return this.refresh();
  }

  /** Asks for the levels; while nobody answers, asks again by itself. */
  async refresh(): Promise<void> {
    clearTimeout(this.#timer);
    try {
      this.models = await this.engine.models();
      this.state = "connected";
      this.message = "";
      this.#attempt = 0;
      this.#watch();
    } catch (error) {
      this.message = error instanceof Error ? error.message : String(error);
      // A refusal (no key, a wrong one) stays one until a person changes something.
      const refused = error instanceof TinyGptvError && error.code === "parameter";
      this.state = refused ? "refused" : "lost";
      if (refused) return;
      const delay = retryDelays[Math.min(this.#attempt++, retryDelays.length - 1)];
      this.#timer = setTimeout(() => void this.refresh(), delay);
    }
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
    return (
      this.models.find((model) => model.id === id || model.name === id) ??
      (id === undefined ? this.models[0] : undefined)
    );
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
