import { join } from "node:path";
import { TinyGptvError } from "@tinygptv/protocol";
import { readText } from "../readText.ts";
import type { TextFiles } from "../textFiles.ts";
import { readTokenizer } from "./tokenizer.ts";
import type { Tokenizer } from "./tokenizer.ts";

/**
 * Reads the tokenizer of a Phi-2 or model folder.
 *
 * @throws TinyGptvError "model": its files are missing, damaged or of another kind of tokenizer
 */
export function loadTokenizer(folder: string): Promise<Tokenizer> {
  return readTokenizer(filesOf(folder));
}

function filesOf(folder: string): TextFiles {
  return {
    name: folder,
    async read(file) {
      try {
        return await readText(join(folder, file));
      } catch (cause) {
        const { code, message } = cause as NodeJS.ErrnoException;
        if (code === "ENOENT") return undefined;
        throw new TinyGptvError("io", `${join(folder, file)}: cannot be read: ${message}`, {
          cause,
        });
      }
    },
  };
}
