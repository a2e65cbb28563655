/**
 * `node functions/inference/src/push.ts FOLDER...`: puts converted models into
 * the store that TINYGPTV_STORE names, from where servers with `store:NAME` in
 * TINYGPTV_MODELS pull them.
 */
import { TinyGptvError } from "@tinygptv/protocol";
import { readEnvironment } from "./environment.ts";
import { pushModel } from "./modelStore/index.ts";
import { openStore } from "./store/index.ts";

const say = (line: string) => process.stdout.write(`${line}\n`);

try {
  const folders = process.argv.slice(2);
  if (folders.length === 0)
    throw new TinyGptvError("parameter", "push: want folders of converted models, got none");
  const { store: name } = readEnvironment(process.env);
  if (name === "memory")
    throw new TinyGptvError(
      "parameter",
      "TINYGPTV_STORE: want blob or a folder, memory ends with this program",
    );
  const store = openStore(name);
  for (const folder of folders) {
    const model = await pushModel(store, folder, {
      onFile: ({ path, bytes }, present) =>
        say(`${path} ${bytes} bytes${present ? ", there already" : ""}`),
    });
    say(`store:${model} is in ${name}`);
  }
} catch (error) {
  if (!(error instanceof TinyGptvError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
