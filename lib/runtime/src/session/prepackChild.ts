/** Run as a program of its own by prepacked.ts: GRAPH OUT. */
import { writePrepacked } from "./runtime.ts";

const [path, out] = process.argv.slice(2);
try {
  process.stdout.write((await writePrepacked(path!, out!)) ? "usable" : "unusable");
} catch (error) {
  process.stderr.write((error as Error).message);
  process.exitCode = 1;
}
