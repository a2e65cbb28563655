/**
 * The environment of a process that computes: under Linux, glibc is told to ask
 * for huge pages. A step reads all weights and the whole cache once, and with
 * pages of 4 KiB the processor keeps looking up where they are: a fifth of a
 * step at the published size. It is settled before a process starts, so a
 * program that opens models itself sets the variable where it is started
 * (docs/performance.md). Source: "Memory Allocation Tunables" in glibc's manual, 2.35 and later; older
 * ones, other libraries and kernels that give none pass over it.
 */
const tunables = "GLIBC_TUNABLES";
const name = "glibc.malloc.hugetlb";

/** What the operator has set stays. */
export function withHugePages(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const set = environment[tunables] ?? "";
  if (set.includes(name)) return environment;
  return { ...environment, [tunables]: [set, `${name}=1`].filter(Boolean).join(":") };
}
