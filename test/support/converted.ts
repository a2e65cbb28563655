import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { convert } from "../../lib/convert/src/convert.ts";
import { findSources, type SourcePaths } from "../../lib/convert/src/sources.ts";

/** Absolute path of something in test/fixtures. */
export function fixture(...names: string[]): string {
  return fileURLToPath(new URL(join("../fixtures", ...names), import.meta.url));
}

/** A folder for one test file, removed by `remove`. */
export async function temporaryFolder(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "tinygptv-test-"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** Converts a fixture set, with some of its files replaced. */
export async function convertFixture(
  set: string,
  out: string,
  given: Partial<SourcePaths> = {},
): Promise<string> {
  const { paths, settings } = await findSources(fixture(set), given);
  await convert({ sources: paths, out, name: "micro", ...(settings ? { settings } : {}) });
  return out;
}
