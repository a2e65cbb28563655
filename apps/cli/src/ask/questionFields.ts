import type { GenerateRequest, Task, Template } from "@tinygptv/protocol";
import { resolveDecoding } from "tinygptv";
import { decodingParams } from "./decodingOptions.ts";

/** What is chosen for a question besides the decoding parameters. */
export interface QuestionFlags {
  task?: Task;
  template?: Template;
  imageMode?: "display" | "reference";
}

/**
 * The fields of a request that a command's options fill, decoding parameters included.
 * @throws TinyGptvError "parameter" for a wrong one: that should not cost the loading of a model
 */
export function questionFields(flags: QuestionFlags): Omit<GenerateRequest, "rounds"> {
  const { task, template, imageMode } = flags;
  const decoding = decodingParams({ ...flags });
  resolveDecoding(decoding);
  return {
    decoding,
    ...(task && { task }),
    ...(template && { template }),
    ...(imageMode && { imageMode }),
  };
}
