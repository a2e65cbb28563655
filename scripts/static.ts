/**
 * Writes the playground as files that need no endpoint: its pages, ONNX Runtime,
 * and the nano model to run in them (docs/page.md).
 */
import { buildPlayground, installPackages, placeNano } from "./setUp.ts";
import { explain } from "./step.ts";

try {
  await installPackages();
  await buildPlayground();
  const site = await placeNano();
  console.log(
    `\nServe ${site} with any file server: the playground runs there without an endpoint.\n`,
  );
} catch (error) {
  explain(error);
  process.exitCode = 1;
}
