/** What every store does; each implementation's test runs it against its own. */
import { describe } from "vitest";
import { argumentContract } from "./arguments.ts";
import { setUpBench, type OpenStore } from "./bench.ts";
import { conditionContract } from "./conditions.ts";
import { listingContract } from "./listing.ts";
import { transferContract } from "./transfers.ts";

export function storeContract(name: string, open: OpenStore): void {
  describe(`${name} as a store`, () => {
    const bench = setUpBench(open);
    transferContract(bench);
    conditionContract(bench);
    listingContract(bench);
    argumentContract(bench);
  });
}
