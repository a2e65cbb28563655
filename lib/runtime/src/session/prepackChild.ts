/** Run as a program of its own by prepacked.ts: GRAPH OUT. */
import { writePrepacked } from "./runtime.ts";

const [path, out] = process.argv.slice(2);
const isUsable = await writePrepacked(path!, out!);
process.stdout.write(isUsable ? "usable" : "unusable");
