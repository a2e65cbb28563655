/**
 * One step of training, top to bottom. Pictures through the mapping,
 * rows put together, layer after layer forward, the loss, and the same way back.
 *
 * One forward and one backward graph serve all layers; what is kept of a layer is
 * its input, from which the backward pass computes the rest again.
 */
import { gradientName, gradients, sized } from "@tinygptv/graph";
import type { Graph, Port } from "@tinygptv/graph";
import type { Session, SessionTensor } from "@tinygptv/graph/session";
import { integers } from "@tinygptv/network/feeds";
import type { TokenEmbeddings } from "tinygptv/parts";
import { differentiate } from "./differentiated.ts";
import { dropoutMask } from "./dropout.ts";
import type { Network, NetworkPart } from "./network.ts";
import { maskOf, type Batch } from "./rows.ts";

/** By names of parameters. */
export type Gradients = Map<string, Float32Array>;

export interface StepOptions {
  /** Opens a graph on whatever computes; at once, since weights are inputs. */
  readonly open: (graph: Graph) => Promise<Session>;
  /** Keeps only each layer's input, and computes the rest again on the way back; else everything is kept. */
  readonly recomputes: boolean;
  /** What is known of a picture before the mapping, (Q,D). */
  readonly picture: (path: string) => Promise<Float32Array>;
  readonly embeddings: Pick<TokenEmbeddings, "lookUp">;
}

/** Which masks of dropout are drawn. */
export interface DropoutPlace {
  readonly seed: number;
  readonly step: number;
  readonly part: number;
}

/** What a batch, or a part of one, gives. */
export interface StepResult {
  /** Sum of −log p over the answer tokens, times the scale. */
  readonly loss: number;
  /** By names of parameters. */
  readonly gradients: Gradients;
}

/** What a batch is worth as it is: nothing is changed, nothing dropped. */
export interface Score {
  /** log p of each answer token, row after row. */
  readonly logProbabilities: Float32Array;
  /** How many tokens are more probable than each; 0 where greedy decoding would choose it. */
  readonly better: Float32Array;
}

/** Runs batches through a network. */
export interface Stepper {
  /**
   * Loss and gradients of a part of a batch.
   * @param scale 1 / (answer tokens of the whole batch): with it the parts of a batch add up to the whole
   */
  run(batch: Batch, scale: number, dropout?: DropoutPlace): Promise<StepResult>;
  /** What a batch is worth, without gradients. */
  score(batch: Batch): Promise<Score>;
  /** Frees the sessions. */
  close(): Promise<void>;
}

/** Opens the sessions of a network. Errors: "layout" for an operator without a gradient rule, "model". */
export async function openStepper(network: Network, options: StepOptions): Promise<Stepper> {
  const { config, regime } = network;
  const { width: H } = config.phi;
  const { numQueryTokens: Q, width: D } = config.qformer;
  const { recomputes, embeddings } = options;
  const sessions: Session[] = [];
  const open = async (graph: Graph) => {
    const session = await options.open(graph);
    sessions.push(session);
    return session;
  };
  const trainedOf = (part: NetworkPart) => Object.keys(part.trained);

  async function openPart(part: NetworkPart, output: string, passed: readonly string[]) {
    const wanted = [...passed, ...trainedOf(part)];
    const { forward, backward, saved } = differentiate(part.graph, output, wanted, { recomputes });
    return { forward: await open(forward), backward: await open(backward), saved, wanted };
  }

  const mapping = await openPart(network.mapping, "image_features", []);
  // Layers of one form share their sessions.
  const byForm = new Map<string, ReturnType<typeof openPart>>();
  const formOf = ({ graph: { inputs } }: NetworkPart) => JSON.stringify(inputs);
  for (const layer of network.layers)
    if (!byForm.has(formOf(layer)))
      byForm.set(formOf(layer), openPart(layer, "output", ["hidden"]));
  const layers = await Promise.all(network.layers.map((layer) => byForm.get(formOf(layer))!));
  const behind = ["hidden", ...trainedOf(network.loss)];
  const lossAlone = await open(network.loss.graph);
  const joint = gradients(network.loss.graph, "loss", behind);
  const wantedOfLoss = ["loss", ...behind.map(gradientName)];
  const lossAndBack = await open({
    ...joint,
    outputs: joint.outputs.filter(({ name }) => wantedOfLoss.includes(name)),
  });

  /** What a part is given beside what comes from the part before it. */
  function weightsOf({ frozen, trained }: NetworkPart): Record<string, SessionTensor> {
    const values = Object.entries(trained).map(([name, { shape, values: data }]) => [
      name,
      tensor(shape, data),
    ]);
    return { ...frozen, ...(Object.fromEntries(values) as Record<string, SessionTensor>) };
  }

  /** Pictures of all rows: through the mapping, (P,Q,H). */
  async function features(batch: Batch) {
    const paths = batch.rows.flatMap(({ pictures }) => pictures);
    if (paths.length === 0) return undefined;
    const embeds = new Float32Array(paths.length * Q * D);
    for (const [i, path] of paths.entries()) embeds.set(await options.picture(path), i * Q * D);
    const feeds = {
      image_embeds: tensor([paths.length, Q, D], embeds),
      ...weightsOf(network.mapping),
    };
    const { saved } = mapping;
    const given = await runOn(mapping.forward, feeds, ["image_features", ...namesOf(saved)]);
    const kept = savedOf(given, saved, { batch: paths.length });
    return { feeds: { ...feeds, ...kept }, values: given.image_features! };
  }

  /** Rows of tokens and pictures, (B,S,H), and where each row of a picture stands among them. */
  function rowsOf({ rows, length }: Batch, values: Float32Array | undefined) {
    const hidden = new Float32Array(rows.length * length * H);
    const places: number[] = [];
    let picture = 0;
    rows.forEach(({ positions, pictures }, row) => {
      const before = picture;
      picture += pictures.length;
      for (let at = 0; at < length; at++) {
        const token = positions[at] ?? positions[0]!; // padding, which nobody sees
        const offset = (row * length + at) * H;
        if (token >= 0) {
          embeddings.lookUp([token], hidden, offset);
          continue;
        }
        const source = before * Q + (-1 - token);
        hidden.set(values!.subarray(source * H, (source + 1) * H), offset);
        places[source] = row * length + at;
      }
    });
    return { hidden, places };
  }

  /** Inputs of all layers that do not change from one to the next. */
  function stepFeeds(batch: Batch): Record<string, SessionTensor> {
    const { rows, length } = batch;
    const positions = rows.flatMap(() => Array.from({ length }, (_, i) => i));
    return {
      positions: integers(positions, [rows.length, length]),
      mask: tensor([rows.length, 1, length, length], maskOf(batch)),
    };
  }

  function lossFeeds({ rows, length }: Batch, scale: number): Record<string, SessionTensor> {
    const targets = rows.flatMap((row, r) =>
      row.targets.map(({ at, token }) => ({ row: r * length + at, token })),
    );
    return {
      rows: integers(targets.map(({ row }) => row)),
      targets: integers(
        targets.map(({ token }) => token),
        [targets.length, 1],
      ),
      scale: tensor([1], Float32Array.of(-scale)),
      ...weightsOf(network.loss),
    };
  }

  /** Masks of one layer, for the rates that are not zero. */
  function dropoutFeeds(layer: number, rows: number, place: DropoutPlace | undefined) {
    const feeds: Record<string, SessionTensor> = {};
    for (const { name, shape } of network.layers[layer]!.graph.inputs) {
      if (!name.startsWith("dropout.")) continue;
      const count = rows * (shape[1] as number);
      const isResidual = name === "dropout.attention" || name === "dropout.mlp";
      const rate = isResidual ? regime.dropout : regime.lora!.dropout;
      const mask = place
        ? dropoutMask(count, rate, { ...place, layer, name })
        : new Float32Array(count).fill(1);
      feeds[name] = tensor([rows, shape[1] as number], mask);
    }
    return feeds;
  }

  async function runForward(batch: Batch, dropout: DropoutPlace | undefined) {
    const { rows, length } = batch;
    const mapped = await features(batch);
    const { hidden: first, places } = rowsOf(batch, mapped?.values);
    const shared = stepFeeds(batch);
    const shape = [rows.length, length, H];
    const kept: Record<string, SessionTensor>[] = [];
    let hidden: Float32Array = first;
    for (const [i, part] of network.layers.entries()) {
      const feeds = {
        hidden: tensor(shape, hidden),
        ...shared,
        ...weightsOf(part),
        ...dropoutFeeds(i, rows.length * length, dropout),
      };
      const { forward: session, saved } = layers[i]!;
      const given = await runOn(session, feeds, ["output", ...namesOf(saved)]);
      const sizes = { batch: rows.length, sequence: length };
      kept.push({ ...feeds, ...savedOf(given, saved, sizes) });
      hidden = given.output!;
    }
    return { mapped, places, kept, shape, hidden: tensor(shape, hidden) };
  }

  async function run(batch: Batch, scale: number, dropout?: DropoutPlace): Promise<StepResult> {
    const { mapped, places, kept, shape, hidden } = await runForward(batch, dropout);
    const found: Gradients = new Map();
    const take = (part: NetworkPart, given: Record<string, Float32Array>) => {
      for (const [name, parameter] of Object.entries(part.trained))
        found.set(parameter.name, given[gradientName(name)]!);
    };

    const feeds = { hidden, ...lossFeeds(batch, scale) };
    const behindLoss = await runOn(lossAndBack, feeds, wantedOfLoss);
    take(network.loss, behindLoss);

    let back = behindLoss[gradientName("hidden")]!;
    for (const [i, part] of [...network.layers.entries()].toReversed()) {
      const { backward, wanted } = layers[i]!;
      const seeded = { ...kept.pop()!, [gradientName("output")]: tensor(shape, back) };
      const given = await runOn(backward, seeded, wanted.map(gradientName));
      take(part, given);
      back = given[gradientName("hidden")]!;
    }

    if (mapped) {
      const ofFeatures = new Float32Array(mapped.values.length);
      places.forEach((position, source) =>
        ofFeatures.set(back.subarray(position * H, (position + 1) * H), source * H),
      );
      const seeded = {
        ...mapped.feeds,
        [gradientName("image_features")]: tensor([ofFeatures.length / (Q * H), Q, H], ofFeatures),
      };
      take(
        network.mapping,
        await runOn(mapping.backward, seeded, mapping.wanted.map(gradientName)),
      );
    }
    return { loss: behindLoss.loss![0]!, gradients: found };
  }

  return {
    run,
    async score(batch) {
      const { hidden } = await runForward(batch, undefined);
      const given = await runOn(lossAlone, { hidden, ...lossFeeds(batch, 1) }, [
        "log_probabilities",
        "better",
      ]);
      return { logProbabilities: given.log_probabilities!, better: given.better! };
    },
    async close() {
      for (const session of sessions) await session.release();
    },
  };
}

/** What was saved, as inputs of the way back. */
function savedOf(
  given: Readonly<Record<string, Float32Array>>,
  saved: readonly Port[],
  sizes: Readonly<Record<string, number>>,
): Record<string, SessionTensor> {
  return Object.fromEntries(
    saved.map(({ name, shape }) => [name, tensor(sized(shape, sizes), given[name]!)]),
  );
}

const namesOf = (ports: readonly Port[]) => ports.map(({ name }) => name);

/** Runs a session on what it asks for. */
function runOn(
  session: Session,
  feeds: Readonly<Record<string, SessionTensor>>,
  outputs: readonly string[],
) {
  const asked = session.inputs.map(({ name }) => [name, feeds[name]!]);
  return session.run(Object.fromEntries(asked) as Record<string, SessionTensor>, outputs);
}

const tensor = (shape: readonly number[], data: Float32Array): SessionTensor => ({
  dtype: "float32",
  shape,
  data,
});
