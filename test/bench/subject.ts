import { fork } from "node:child_process";
import { once } from "node:events";
import { withHugePages } from "../../lib/runtime/src/engine/hugePages.ts";
import type { Answer, Measurement } from "./messages.ts";

export interface Subject {
  readonly name: string;
  readonly pid: number;
  measure(what: Measurement): Promise<number[]>;
  close(): Promise<void>;
}

/** Starts a program that answers measurements and waits until it has loaded its model. */
export async function startSubject(name: string, module: URL, args: string[]): Promise<Subject> {
  const child = fork(module, args, {
    stdio: ["ignore", 2, 2, "ipc"],
    serialization: "advanced",
    // As the engine has it; llama.cpp's process has it, too.
    env: withHugePages(process.env),
  });
  const next = async (): Promise<number[]> => {
    // Whichever comes first, the listener for the other one goes.
    const settled = new AbortController();
    const { signal } = settled;
    const answer = await Promise.race([
      once(child, "message", { signal }).then(([message]) => message as Answer),
      once(child, "exit", { signal }).then(([code, cause]): Answer => ({
        error: `ended with ${code ?? cause}`,
      })),
    ]).finally(() => settled.abort());
    if ("error" in answer) throw new Error(`${name}: ${answer.error}`);
    return answer.milliseconds;
  };
  await next();
  return {
    name,
    pid: child.pid!,
    measure(what) {
      child.send(what);
      return next();
    },
    async close() {
      const ended = once(child, "exit");
      child.disconnect();
      await ended;
    },
  };
}
