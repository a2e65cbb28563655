import type { Graph } from "@tinygptv/graph";
import type { Session } from "@tinygptv/graph/session";
import { openSession } from "../session/runtime.ts";
import type { Execution } from "./execution.ts";

/**
 * Opens graphs in memory where a model was chosen to run; what they give comes back
 * to the processor. Errors have code "model", "engine".
 * @param execution the processor unless given; with CUDA too, whose gradients nobody has tried
 * @param threads on the processor; all cores unless given
 */
export function openOn(
  execution?: Execution,
  threads?: number,
): (graph: Graph) => Promise<Session> {
  if (execution?.provider !== "webgpu") return (graph) => openSession({ graph }, { threads });
  const { device } = execution;
  return async (graph) => {
    const session = await device.inTurn(() => device.open(graph));
    return {
      ...session,
      run: (...call) => device.inTurn(() => session.run(...call)),
      release: () => device.inTurn(() => session.release()),
    };
  };
}
