import { edgeContract } from "../test/edgeContract.ts";
import { vercel } from "../test/runtimes.ts";

edgeContract("Vercel's edge runtime", vercel, { noticesLeaving: true });
