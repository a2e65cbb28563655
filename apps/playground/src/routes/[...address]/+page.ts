import { error } from "@sveltejs/kit";
import { addressOf } from "#lib/state/address.ts";
import type { EntryGenerator, PageLoad } from "./$types";

/** Servers have one page for every address. */
export const entries: EntryGenerator = () => [{ address: "" }];

export const load: PageLoad = ({ params }) =>
  addressOf(params.address) ?? error(404, "There is nothing at this address.");
