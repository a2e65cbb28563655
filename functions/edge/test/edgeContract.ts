/** What the edge function does, whatever runtime it runs in: each test asks a real one over HTTP. */
import { describe } from "vitest";
import { accessContract } from "./contract/access.ts";
import { setUpBench } from "./contract/bench.ts";
import { bodiesContract } from "./contract/bodies.ts";
import { cacheContract } from "./contract/cache.ts";
import { failoverContract } from "./contract/failover.ts";
import { routingContract } from "./contract/routing.ts";
import { streamContract } from "./contract/streams.ts";
import type { StartEdge } from "./runtimes.ts";

interface RuntimeTraits {
  /** Whether it tells the function that a client left before there is anything to write. */
  noticesLeaving: boolean;
}

export function edgeContract(
  runtime: string,
  load: () => Promise<StartEdge>,
  { noticesLeaving }: RuntimeTraits,
): void {
  describe(`the edge function in ${runtime}`, () => {
    const bench = setUpBench(load);
    accessContract(bench);
    cacheContract(bench);
    routingContract(bench);
    failoverContract(bench);
    bodiesContract(bench);
    streamContract(bench, noticesLeaving);
  });
}
