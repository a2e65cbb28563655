/** What each file must be: as the caller says, else as a mirror's own list says, else as it was published. */
import { TinyGptvError } from "@tinygptv/protocol";
import { Interruption, retry, webFetch } from "@tinygptv/transfer";
import { usageError } from "../terminal/failure.ts";
import { checksumsName, parseChecksums } from "./checksums.ts";
import type { Checksums } from "./checksums.ts";
import { atMirror, publishedFiles } from "./publishedFiles.ts";
import type { PublishedFile } from "./publishedFiles.ts";
import type { Stage } from "./stages.ts";

export interface Expectations {
  stage: Stage;
  baseUrl?: string;
  /** File -> checksum, as the caller gives them. */
  sha256?: Record<string, string>;
}

/** @throws TinyGptvError `parameter` for a checksum of a file there is not; `network` */
export async function expectedFiles(
  { stage, baseUrl, sha256 = {} }: Expectations,
  signal: AbortSignal,
): Promise<PublishedFile[]> {
  const published = publishedFiles(stage);
  const paths = published.map((file) => file.path);
  const stranger = Object.keys(sha256).find((path) => !paths.includes(path));
  if (stranger !== undefined) {
    throw usageError(`sha256: want one of ${paths.join(", ")}, got ${stranger}`);
  }
  const files = baseUrl === undefined ? published : atMirror(published, baseUrl);
  const served: Checksums =
    baseUrl === undefined ? new Map() : await servedChecksums(baseUrl, signal);
  return files.map(({ bytes, sha256: usual, ...file }) => {
    const given = sha256[file.path];
    const sum = given ?? served.get(file.path) ?? usual;
    return {
      ...file,
      ...(sum !== undefined && { sha256: sum }),
      // Another file than the published one may have another size.
      ...(bytes !== undefined && sum === usual && { bytes }),
    };
  });
}

/** The list of checksums beside a mirror's files; none where it has none. */
function servedChecksums(baseUrl: string, signal: AbortSignal): Promise<Checksums> {
  const url = new URL(checksumsName, baseUrl.replace(/\/*$/, "/")).href;
  const read = async () => {
    const response = await webFetch(url, { signal }).catch((error: unknown) => {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      throw new Interruption(cause instanceof Error ? cause.message : String(cause), { cause });
    });
    if (response.status === 404) {
      await response.body?.cancel();
      return new Map<string, string>();
    }
    if (response.status >= 500) throw new Interruption(`HTTP ${response.status}`);
    if (!response.ok) {
      throw new TinyGptvError("network", `${url}: want checksums, got HTTP ${response.status}`);
    }
    return parseChecksums(await response.text(), url);
  };
  return retry(`${url}: want checksums`, read, { signal });
}
