/** From the questions of an evaluation to rows that are learnt. */
import { cellNamed, pictureBytes, resolveRound } from "@tinygptv/notebook";
import type { CellOf, Notebook, OutputOf } from "@tinygptv/notebook";
import { TinyGptvError } from "@tinygptv/protocol";
import type { ExampleRow, ExampleRows } from "#lib/client/fineTuning.ts";
import { readPicture } from "#lib/storage/pictures.ts";

/** One question of so many is kept aside. */
const heldOutOf = 5;

/** @throws TinyGptvError for a cell that is none, and questions that cannot be learnt, naming them */
export async function exampleRows(
  { source, replay, holdOut }: CellOf<"finetune">,
  notebook: Notebook,
  outputOf: OutputOf,
): Promise<ExampleRows> {
  const rows = await rowsOf(source, notebook, outputOf);
  const isHeld = (_: ExampleRow, i: number) => holdOut && i % heldOutOf === heldOutOf - 1;
  return {
    training: rows.filter((row, i) => !isHeld(row, i)),
    validation: rows.filter(isHeld),
    replay: replay === undefined ? [] : await rowsOf(replay, notebook, outputOf),
  };
}

async function rowsOf(name: string, notebook: Notebook, outputOf: OutputOf): Promise<ExampleRow[]> {
  const cell = cellNamed(notebook, name);
  if (cell?.type !== "evaluate" || cell.items.length === 0)
    throw new TinyGptvError(
      "prompt",
      name === ""
        ? "Choose an evaluation whose answers are to be learnt."
        : `${name} is no evaluation with questions.`,
      { subject: name },
    );
  return Promise.all(
    cell.items.map(async ({ prompt, pictures, task, answer }, i) => {
      const at = `${name}, question ${i + 1}`;
      const round = resolveRound(notebook, prompt, pictures, outputOf);
      const [picture, ...more] = round.pictures;
      if (more.length > 0)
        throw new TinyGptvError("image", `${at}: has several pictures; one can be learnt from.`);
      if (answer.trim() === "") throw new TinyGptvError("prompt", `${at}: has no answer to learn.`);
      return {
        picture:
          picture === undefined
            ? undefined
            : await pictureBytes(picture, { notebook, readPicture }),
        prompt: round.text,
        ...(task !== undefined && { task }),
        answer,
      };
    }),
  );
}
