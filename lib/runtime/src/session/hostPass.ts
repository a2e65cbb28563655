/** Passes on processors: the graph gives back the rows of a step, which are written into the cache here (splitAttention.ts in lib/network). */
import type { Session, SessionTensor } from "@tinygptv/graph/session";
import type { PhiConfig } from "@tinygptv/model";
import { integers } from "@tinygptv/network/feeds";
import type { Adapter } from "./adapter.ts";
import type { TokenEmbeddings } from "./embeddings.ts";
import { letGo, onHost, type HostStorage } from "./hostStorage.ts";
import { inputBuffer, logitsByRow, wantedLogits, type PassRunner } from "./pass.ts";
import type { RowCounts } from "./rowCounts.ts";

/** @param session of the language model's graph with split attention */
export function hostPasses(
  session: Pick<Session, "run">,
  embeddings: TokenEmbeddings,
  config: PhiConfig,
  rowCounts: RowCounts,
): PassRunner<HostStorage> {
  const { width, vocabSize, numLayers } = config;
  const layers = Array.from({ length: numLayers }, (_, layer) => layer);
  const outputs = ["logits", ...layers.flatMap((layer) => [`key.${layer}`, `value.${layer}`])];
  const pastFeeds = createPastFeeds(config);
  const embedsOf = inputBuffer(width, embeddings.lookUp);
  const plain: Pick<Adapter, "session" | "rowCounts"> = { session, rowCounts };

  return {
    kind: onHost(config),
    canShare: (_, adapter) => (adapter ?? plain).rowCounts.sharing,
    async run(batch) {
      const { rows, count, pool, first, places } = batch;
      const own = batch.adapter ?? plain;
      const { length: size } = rows;
      const inputs = size * count;
      const pastLength = new BigInt64Array(size);
      rows.forEach(({ sequence }, i) => (pastLength[places[i]!] = BigInt(sequence.length)));
      const wanted = wantedLogits(batch);

      const results = await own.session.run(
        {
          inputs_embeds: {
            dtype: "float32",
            shape: [size, count, width],
            data: embedsOf(batch, size),
          },
          padding: zeros(own.rowCounts.padded(inputs) - inputs, width),
          past_length: { dtype: "int64", shape: [size], data: pastLength },
          logits_rows: integers(paddedRows(wanted.flat(), own.rowCounts)),
          // A batch that starts from nothing needs no look at the cache.
          ...pastFeeds(pool.storage, {
            first,
            held: rows.every(({ sequence }) => sequence.length === 0) ? 0 : size,
            batch: size,
          }),
        },
        outputs,
      );

      rows.forEach(({ sequence }, i) => {
        for (const layer of layers)
          pool.storage.append(layer, first + places[i]!, sequence.length, {
            key: results[`key.${layer}`]!,
            value: results[`value.${layer}`]!,
            row: places[i]!,
            count,
          });
      });
      for (const layer of layers) {
        letGo(results[`key.${layer}`]!);
        letGo(results[`value.${layer}`]!);
      }
      return logitsByRow(results.logits!, wanted, vocabSize);
    },
    async close() {},
  };
}

/** The last layer runs over these rows alone; those added are never looked at. */
function paddedRows(wanted: readonly number[], rowCounts: RowCounts): number[] {
  const count = wanted.length === 0 ? 0 : rowCounts.padded(wanted.length);
  return Array.from({ length: count }, (_, i) => wanted[i] ?? wanted[0]!);
}

type Feeds = Readonly<Record<string, SessionTensor>>;

/** Cached keys and values as inputs of the graph, made anew only where the batch has changed or the cache has moved. */
function createPastFeeds({ numLayers, numHeads, headDim }: PhiConfig) {
  const known = new WeakMap<HostStorage, { key: string; feeds: Feeds }>();
  /** @param rows.held rows of the batch that are in the cache: all or none */
  return (storage: HostStorage, rows: { first: number; held: number; batch: number }): Feeds => {
    const { first, held, batch } = rows;
    const key = `${storage.generation} ${first} ${held} ${batch}`;
    const before = known.get(storage);
    if (before?.key === key) return before.feeds;
    const shape = [batch, numHeads, held === 0 ? 0 : storage.capacity, headDim];
    const feeds: Record<string, SessionTensor> = {};
    for (let layer = 0; layer < numLayers; layer++) {
      const views = storage.view(layer, first, held);
      feeds[`past_key.${layer}`] = { dtype: "float32", shape, data: views.key };
      feeds[`past_value.${layer}`] = { dtype: "float32", shape, data: views.value };
    }
    known.set(storage, { key, feeds });
    return feeds;
  };
}

function zeros(rows: number, width: number): SessionTensor {
  return { dtype: "float32", shape: [rows, width], data: new Float32Array(rows * width) };
}
