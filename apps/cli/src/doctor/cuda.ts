/** What the CUDA provider needs: files beside ONNX Runtime's native part, and what they are linked against. */
import { join } from "node:path";
import { libraryFinder, missingFor } from "tinygptv/parts";
import { about } from "./finding.ts";
import type { Finding } from "./finding.ts";

/** Not in the package; they must be of its very version. */
const files = ["libonnxruntime_providers_shared.so", "libonnxruntime_providers_cuda.so"];

/** @param folder of ONNX Runtime's native part */
export async function checkCuda(folder: string): Promise<Finding[]> {
  const say = about("cuda");
  const find = libraryFinder([]);
  const paths = files.map((name) => join(folder, name));
  const found = await Promise.all(paths.map(find));
  const absent = paths.filter((_, i) => found[i] === undefined);
  if (absent.length > 0)
    return [
      say.optional(
        `no ${absent.join(", ")}; onnxruntime-node's install script fetches them with ONNXRUNTIME_NODE_INSTALL=cuda12`,
      ),
    ];
  const missing = [...new Set((await Promise.all(paths.map(missingFor))).flat())];
  return [
    missing.length === 0
      ? say.ok(`${files.join(", ")} and what they need`)
      : say.optional(
          `${files.join(", ")} are there, but not what they need: ${missing.join(", ")}`,
        ),
  ];
}
