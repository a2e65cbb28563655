/**
 * Adapters beside a language model: its weights are in memory once, and what an adapter
 * adds or exchanges is given to each run (adaptable.ts in lib/network).
 */
import type { Graph, Initializer } from "@tinygptv/graph";
import type { Session, SessionTensor } from "@tinygptv/graph/session";
import { viewAs, type PhiConfig } from "@tinygptv/model";
import type { AdapterPlace } from "@tinygptv/network";
import { TinyGptvError } from "@tinygptv/protocol";
import { findRowCounts, type RowCounts } from "./rowCounts.ts";

/** What is beside a model's weights for those who ask for it. */
export interface Adapter {
  readonly name: string;
  /** Of its files. */
  readonly bytes: number;
  /** Of the language model, with it. */
  readonly session: Pick<Session, "run">;
  readonly rowCounts: RowCounts;
  /** The mapping module in place of the model's; undefined where that stays. */
  readonly mapping: Session | undefined;
}

/** The language model's graph with places for an adapter, open. */
export interface AdaptableSession {
  readonly session: Session;
  readonly places: ReadonlyMap<string, AdapterPlace>;
}

/** A session that can be made to take adapters. */
export interface PlainSession extends Session {
  /**
   * Gives an adapter's weights a session of their own to be run with.
   * @param weights by the names of the places they go to
   * @param origin of them, for messages
   * @throws TinyGptvError "model" for weights that do not fit, naming the first, and where the graph cannot be opened
   */
  beside(weights: Graph, origin: string): Promise<Pick<Session, "run">>;
}

/**
 * A session that gives way to one with places for adapters when the first is asked for: then the
 * weights are read anew, once. What it computes without an adapter stays the same bit for bit.
 * @param open opens the graph; again where the other cannot be opened
 * @param keepsPlain whether both stay open: runs without an adapter then cost nothing more, for
 *   small models, whose weights take less memory than what runs cost
 */
export async function openPlain(
  open: () => Promise<Session>,
  openAdaptable: () => Promise<AdaptableSession>,
  keepsPlain: boolean,
): Promise<PlainSession> {
  let plain: Session | undefined = await open();
  const { inputs, outputs } = plain;
  let adaptable: (AdaptableSession & { readonly without: Feeds }) | undefined;
  let changing: Promise<void> | undefined;

  async function change(): Promise<void> {
    if (!keepsPlain) {
      const old = plain;
      plain = undefined; // before it is released: nobody may run it meanwhile
      await old?.release();
    }
    try {
      const opened = await openAdaptable();
      const without: Record<string, SessionTensor> = {};
      for (const [name, place] of opened.places) without[name] = await tensorOf(place.without);
      adaptable = { ...opened, without };
    } catch (error) {
      plain ??= await open();
      throw error;
    }
  }

  async function ready(): Promise<NonNullable<typeof adaptable>> {
    if (adaptable) return adaptable;
    changing ??= change().finally(() => (changing = undefined));
    await changing;
    return adaptable!;
  }

  return {
    inputs,
    outputs,
    async run(feeds, wanted) {
      if (!plain && changing) await changing.catch(() => {}); // who asked for it hears of it
      if (plain) return plain.run(feeds, wanted);
      const { session, without } = adaptable!;
      return session.run({ ...without, ...feeds }, wanted);
    },
    async beside(weights, origin) {
      const { session, places, without } = await ready();
      const own: Record<string, SessionTensor> = { ...without };
      for (const weight of weights.initializers.values()) {
        expectFit(weight, places, origin);
        own[weight.name] = await tensorOf(weight);
      }
      expectPairs(weights, origin);
      return { run: (feeds, wanted) => session.run({ ...own, ...feeds }, wanted) };
    },
    async release() {
      await changing?.catch(() => {});
      await plain?.release();
      await adaptable?.session.release();
    },
  };
}

type Feeds = Readonly<Record<string, SessionTensor>>;

/** How rows are computed alike with an adapter has to be found anew: other kernels run beside those of the model. */
export async function adapterOf(
  parts: Omit<Adapter, "rowCounts">,
  config: PhiConfig,
): Promise<Adapter> {
  return { ...parts, rowCounts: await findRowCounts(parts.session, config) };
}

async function tensorOf({ shape, load }: Initializer): Promise<SessionTensor> {
  return { dtype: "float32", shape, data: viewAs(Float32Array, await load()) };
}

function expectFit(
  { name, dtype, shape }: Initializer,
  places: ReadonlyMap<string, AdapterPlace>,
  origin: string,
): void {
  const place = places.get(name);
  const want = place?.port.shape.map((size) => (typeof size === "number" ? size : "rank"));
  if (!want)
    throw new TinyGptvError(
      "model",
      `${origin}: want weights of the model it lies beside, got ${name}, which that does not have`,
      { subject: name },
    );
  const fits =
    dtype === "float32" &&
    shape.length === want.length &&
    want.every((size, i) => size === "rank" || size === shape[i]);
  if (fits) return;
  throw new TinyGptvError(
    "model",
    `${origin}: ${name}: want float32 [${want.join(", ")}] as the model has it, got ${dtype} [${shape.join(", ")}]`,
    { subject: name },
  );
}

/** Both matrices of a layer, of one rank. */
function expectPairs({ initializers }: Graph, origin: string): void {
  for (const { name, shape } of initializers.values()) {
    if (!name.endsWith(".loraA")) continue;
    const other = initializers.get(name.replace(/A$/, "B"));
    if (other?.shape[0] === shape[1]) continue;
    const got = other ? `[${other.shape.join(", ")}]` : "none";
    throw new TinyGptvError(
      "model",
      `${origin}: want a loraB of rank ${shape[1]} beside ${name}, got ${got}`,
      { subject: name },
    );
  }
}
