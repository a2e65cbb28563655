/** What is asked of a model about a row of a data set, and what is right: plain data that goes into results. */
import type { Row } from "@tinygptv/datasets";
import type { DecodingParams, Task, Template } from "@tinygptv/protocol";
import { z } from "zod";

const corners = z.tuple([z.number(), z.number(), z.number(), z.number()]);
const size = z.object({ width: z.number(), height: z.number() });

/** What is known to be right of a row. */
export const expectedSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("question"), answers: z.array(z.string()).min(1) }),
  z.object({ kind: z.literal("label"), label: z.boolean() }),
  z.object({ kind: z.literal("choice"), choices: z.array(z.string()).min(1), answer: z.number() }),
  z.object({ kind: z.literal("captions"), captions: z.array(z.string()).min(1) }),
  /** In pixels of a picture of this size. */
  z.object({ kind: z.literal("phrase"), boxes: z.array(corners).min(1), size }),
]);
/** The same as a type. */
export type Expected = z.infer<typeof expectedSchema>;

/** How a row is asked about, before anybody chooses otherwise. */
export interface Wording {
  /** Tag of the reference's task, put first in the text. */
  readonly task?: Task;
  /** The text for a row, without the tag. */
  readonly text: (row: Row) => string;
}

/** How requests are made out of rows. */
export interface Asking {
  readonly template: Template;
  readonly task: Task | undefined;
  readonly imageMode: "display" | "reference";
  readonly decoding: DecodingParams;
}

/** The text as the reference writes it: the tag, then the question. */
export function promptOf(text: string, task: Task | undefined): string {
  return task === undefined ? text : `[${task}] ${text}`;
}
