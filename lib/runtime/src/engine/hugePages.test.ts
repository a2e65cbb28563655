import { expect, it } from "vitest";
import { withHugePages } from "./hugePages.ts";

it.each([
  [undefined, "glibc.malloc.hugetlb=1"],
  ["glibc.malloc.check=3", "glibc.malloc.check=3:glibc.malloc.hugetlb=1"],
  ["glibc.malloc.hugetlb=0", "glibc.malloc.hugetlb=0"],
])("where %s is set, a process that computes has %s", (set, want) => {
  const before = { PATH: "/bin", ...(set === undefined ? {} : { GLIBC_TUNABLES: set }) };
  expect(withHugePages(before)).toEqual({ PATH: "/bin", GLIBC_TUNABLES: want });
});
