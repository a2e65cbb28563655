import { Miniflare } from "miniflare";
import { expect, it } from "vitest";
import { edgeContract } from "../test/edgeContract.ts";
import { startOrigin } from "../test/origin.ts";
import { workerd, workerOptions } from "../test/runtimes.ts";

// On its own, outside Cloudflare's network, workerd finds out when it writes.
edgeContract("workerd", workerd, { noticesLeaving: false });

it("shares rate limits between Workers through a KV namespace", async () => {
  const origin = await startOrigin();
  const key = "key-of-anna-0123456789";
  const bindings = {
    EDGE_KEYS: JSON.stringify([{ name: "anna", key, requestsPerMinute: 1, burst: 3 }]),
    EDGE_ORIGINS: JSON.stringify([{ url: origin.url }]),
  };
  const worker = { ...(await workerOptions()), bindings };
  const miniflare = new Miniflare({
    workers: [
      { ...worker, name: "here", routes: ["http://here/*"] },
      { ...worker, name: "there", routes: ["http://there/*"] },
    ],
  });
  const statuses: number[] = [];
  for (const name of ["here", "there", "here", "there", "here"]) {
    const response = await miniflare.dispatchFetch(`http://${name}/v1/images`, {
      headers: { authorization: `Bearer ${key}` },
    });
    await response.arrayBuffer();
    statuses.push(response.status);
  }
  expect(statuses).toEqual([200, 200, 200, 429, 429]);
  await miniflare.dispose();
  await origin.kill();
});
