/** A program with an engine that tells its parent the engine process's id and waits to be killed. */
import { createEngine } from "../supervisor.ts";

const engine = createEngine({
  models: ["fake=a"],
  childModule: new URL("fakeChild.ts", import.meta.url),
});
for await (const event of engine.generate({ rounds: [{ prompt: "pid" }] }, [])) {
  if (event.type === "delta") process.send?.(Number(event.text));
}
