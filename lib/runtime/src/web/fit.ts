/** Whether a level fits a page, said before it is downloaded: what it needs, and what the browser says there is. */
import type { Manifest, PhiConfig } from "@tinygptv/model";
import { memoryPlan } from "../engine/memoryPlan.ts";

/** What a page can know of where it runs. */
export interface PageMachine {
  /** What a level would run on, as far as can be known before it is tried. */
  readonly runsOn: "webgpu" | "wasm";
  /** Bytes of memory; browsers round them, and name no more than 8 GB or some more. */
  readonly memory: number | undefined;
  /** Bytes that the browser has room for. */
  readonly disk: number | undefined;
}

/** How a level fits. */
export interface Fit {
  /** Why it cannot run here; undefined where it can, as far as a page knows. */
  refusal: string | undefined;
  /** What to know before it is loaded, in sentences; nothing where it is small. */
  notes: string[];
}

/** Memory of WebAssembly has addresses of 32 bits, and takes something beside the weights. */
const wasmWeights = 3.5 * 2 ** 30;
/** Weights of which it is worth saying what they need. */
const large = 2 ** 29;
/** What a number of the language model takes in WebAssembly, on one thread: measured with 4 bits at the full size. */
const secondsPerWeight = 2e-9;

/** @param missing bytes that are still to be downloaded */
export function fitOf(
  manifest: Manifest,
  level: string,
  missing: number,
  { runsOn, memory, disk }: PageMachine,
): Fit {
  const { weights, cache, pass, vision } = memoryPlan(manifest, level);
  const notes: string[] = [];
  if (weights >= large) {
    const need = gigabytes(weights + cache + Math.max(pass, vision));
    const where = runsOn === "webgpu" ? "of the GPU, whose size browsers do not tell" : "";
    const have = memory === undefined ? "" : `; this device has ${gigabytes(memory)} or more`;
    notes.push(`Needs ${need} of memory${where && ` ${where}`}${have}.`);
  }
  const seconds = Math.round(secondsPerWeight * weightsOf(manifest.config.phi));
  if (runsOn === "wasm" && seconds >= 1)
    notes.push(`An experiment: in WebAssembly a token takes about ${seconds} s.`);
  return { refusal: refusal(), notes };

  function refusal(): string | undefined {
    if (runsOn === "wasm" && weights > wasmWeights)
      return `want weights of at most ${gigabytes(wasmWeights)}, which is what WebAssembly can hold, got ${gigabytes(weights)}`;
    if (disk !== undefined && missing > disk)
      return `want room for ${gigabytes(missing)} in this browser, got ${gigabytes(disk)}; free disk space or remove a level`;
    return undefined;
  }
}

/** @param runsOn what levels would run on */
export async function thisMachine(runsOn: PageMachine["runsOn"]): Promise<PageMachine> {
  // Only some browsers have it.
  const { deviceMemory } = navigator as { deviceMemory?: number };
  const { quota, usage = 0 } = await navigator.storage.estimate();
  return {
    runsOn,
    memory: deviceMemory === undefined ? undefined : deviceMemory * 2 ** 30,
    disk: quota === undefined ? undefined : quota - usage,
  };
}

/** Numbers that every token is multiplied with: of each layer qkv, output and MLP, and the head. */
function weightsOf({ width, mlpWidth, numLayers, vocabSize }: PhiConfig): number {
  return numLayers * (4 * width ** 2 + 2 * width * mlpWidth) + width * vocabSize;
}

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;
