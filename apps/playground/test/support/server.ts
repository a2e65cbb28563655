import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";

const program = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Program and arguments. */
export type Command = readonly [string, ...string[]];

/** The playground as `npm start` runs it, with the nano model. */
const nanoServer: Command = [program("../../../cli/src/main.ts"), "serve"];
/** The same with answers of any length from no model. */
export const fakeServer: Command = [program("fakeServer.ts")];
const models = fileURLToPath(new URL("../../../../models/nano/converted", import.meta.url));

export interface Server {
  url: string;
  /** Ends it as a power cut would. */
  kill(): Promise<void>;
  /** Starts it again on the same port. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** The one running at `url`, as far as a test can have it. */
export const runningServer = (url: string): Server => ({
  url,
  kill: notOurs,
  restart: notOurs,
  stop: () => Promise.resolve(),
});

/**
 * The built playground in a process of its own.
 * @param settings variables of its environment besides those of every test
 * @param command the program, the one with the nano model where it is left out
 */
export async function startServer(
  settings: Record<string, string> = {},
  command = nanoServer,
): Promise<Server> {
  const port = await freePort();
  let child = await start(command, port, settings);
  return {
    url: `http://127.0.0.1:${port}`,
    kill: () => end(child, "SIGKILL"),
    restart: async () => void (child = await start(command, port, settings)),
    stop: () => end(child, "SIGTERM"),
  };
}

const notOurs = (): Promise<never> =>
  Promise.reject(new Error("this server was started by somebody else"));

async function freePort(): Promise<number> {
  const trial = createServer().listen(0, "127.0.0.1");
  await once(trial, "listening");
  const address = trial.address();
  trial.close();
  await once(trial, "close");
  if (address === null || typeof address === "string") throw new Error("want a TCP port");
  return address.port;
}

/** Resolves when it listens. */
async function start(
  command: Command,
  port: number,
  settings: Record<string, string>,
): Promise<ChildProcess> {
  const env = {
    ...process.env,
    HOST: "127.0.0.1",
    PORT: String(port),
    TINYGPTV_MODELS: models,
    TINYGPTV_STORE: "memory",
    ...settings,
  };
  const child = spawn(process.execPath, command, { env, stdio: ["ignore", "pipe", "inherit"] });
  await new Promise<void>((resolve, reject) => {
    child.stdout.on("data", (chunk) => String(chunk).includes('"listening"') && resolve());
    child.once("exit", (code) =>
      reject(new Error(`the server ended with ${code} before it listened`)),
    );
  });
  return child;
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill(signal);
  await once(child, "exit");
}
