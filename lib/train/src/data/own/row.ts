import { imageMark, tasks } from "@tinygptv/protocol";
import { z } from "zod";
import { dataError, parseRecord } from "../mistakes.ts";
import type { Pictures } from "../pictures.ts";
import type { Round } from "../sample.ts";
import { aboutPicture } from "../wording.ts";

/** One row of one's own data. */
export interface OwnItem {
  readonly picture: string | undefined;
  readonly rounds: readonly Round[];
}

/** A text with something in it. */
const text = z
  .string()
  .refine((value) => value.trim() !== "", { error: "want a text, got an empty one" });
const pictureName = z.string().min(1);

/** A picture has several names in the world; where a row has none it is about words alone. */
const pictureShape = {
  image: pictureName.nullish(),
  images: z.array(pictureName).nullish(),
  pictures: z.array(pictureName).nullish(),
  file_name: pictureName.nullish(),
};

/** `{image, prompt, answer}`, as ratings and rows of the playground go out, too; without a prompt it is a caption. */
const plainRow = z.object({
  ...pictureShape,
  prompt: text.optional(),
  task: z.enum(tasks).nullish(),
  answer: text,
});

/** `metadata.jsonl` beside pictures. */
const captionRow = z.object({ ...pictureShape, text });

/** Who speaks, by the names that LLaVA, ShareGPT and chat interfaces use. */
const speakers = {
  human: "a question",
  user: "a question",
  gpt: "an answer",
  assistant: "an answer",
} as const;
const speaker = z.enum(["human", "user", "gpt", "assistant"]);

/** LLaVA and ShareGPT. */
const conversationsRow = z.object({
  ...pictureShape,
  conversations: z.array(z.object({ from: speaker, value: text })).min(2),
});

const part = z.discriminatedUnion("type", [
  z.object({ type: z.literal("text"), text: z.string() }),
  z.object({ type: z.literal("image") }),
]);

/** Messages of chat interfaces. */
const messagesRow = z.object({
  ...pictureShape,
  messages: z
    .array(z.object({ role: speaker, content: z.union([text, z.array(part).min(1)]) }))
    .min(2),
});

/** Formats by the key that only they have. */
const formats = {
  conversations: (row: unknown, place: string) => {
    const { conversations, ...pictures } = parseRecord(conversationsRow, row, place);
    const turns = conversations.map(({ from, value }) => ({ role: speakers[from], text: value }));
    return { pictures, rounds: roundsOf(turns, place) };
  },
  messages: (row: unknown, place: string) => {
    const { messages, ...pictures } = parseRecord(messagesRow, row, place);
    const turns = messages.map(({ role, content }) => ({
      role: speakers[role],
      text: textOf(content),
    }));
    return { pictures, rounds: roundsOf(turns, place) };
  },
  answer: (row: unknown, place: string) => {
    const { answer, prompt, task, ...pictures } = parseRecord(plainRow, row, place);
    const tagged =
      typeof task === "string" && prompt !== undefined ? `[${task}] ${prompt}` : prompt;
    return { pictures, rounds: [{ question: tagged, answer }] };
  },
  text: (row: unknown, place: string) => {
    const { text: answer, ...pictures } = parseRecord(captionRow, row, place);
    return { pictures, rounds: [{ question: undefined, answer }] };
  },
};
const keys = Object.keys(formats) as (keyof typeof formats)[];

/**
 * A row of one's own data, its format told by its keys.
 * @throws TinyGptvError "data": it has no known form, or its picture is missing, or has no place in it
 */
export async function readOwnRow(
  row: unknown,
  place: string,
  pictures: Pictures,
): Promise<OwnItem> {
  const names = typeof row === "object" && row !== null ? Object.keys(row) : [];
  const key = keys.find((one) => names.includes(one));
  if (key === undefined)
    throw dataError(
      place,
      `want an object with ${keys.map((one) => `"${one}"`).join(" or ")}, got ${names.length > 0 ? names.map((one) => `"${one}"`).join(", ") : "none"}`,
    );
  const found = formats[key](row, place);
  const picture = await findPicture(found.pictures, place, pictures);
  return { picture, rounds: instruct(found.rounds, picture, place) };
}

type PictureFields = z.output<z.ZodObject<typeof pictureShape>>;

async function findPicture(
  { image, images, pictures: many, file_name }: PictureFields,
  place: string,
  pictures: Pictures,
): Promise<string | undefined> {
  const names = [image, file_name, ...(images ?? []), ...(many ?? [])].filter(
    (name) => typeof name === "string",
  );
  const [name] = names;
  if (names.length > 1) throw dataError(place, `want one picture at most, got ${names.length}`);
  return name === undefined ? undefined : pictures.need(name, place);
}

interface Exchange {
  readonly question: string | undefined;
  readonly answer: string;
}

function roundsOf(
  turns: readonly { role: "a question" | "an answer"; text: string }[],
  place: string,
): Exchange[] {
  turns.forEach(({ role, text: said }, i) => {
    const want = i % 2 === 0 ? "a question" : "an answer";
    if (role !== want) throw dataError(place, `turn ${i + 1}: want ${want}, got ${role}`);
    if (said.trim() === "") throw dataError(place, `turn ${i + 1}: want a text, got an empty one`);
  });
  if (turns.length % 2 !== 0)
    throw dataError(place, `want an answer to every question, got ${turns.length} turns`);
  return turns.flatMap(({ text: question }, i) =>
    i % 2 === 0 ? [{ question, answer: turns[i + 1]!.text }] : [],
  );
}

function textOf(content: string | z.output<typeof part>[]): string {
  if (typeof content === "string") return content;
  return content.map((one) => (one.type === "text" ? one.text : llavaMark)).join("");
}

/** Where LLaVA and ShareGPT write that the picture goes. */
const llavaMark = "<image>";

/** The picture goes before the first question, as in the reference's data; a mark of ours says another place. */
function instruct(
  rounds: readonly Exchange[],
  picture: string | undefined,
  place: string,
): Round[] {
  const marks = rounds.map(({ question = "" }) => question.match(/<image>|<ImageHere>/g) ?? []);
  const count = marks.flat().length;
  if (count > 0 && picture === undefined)
    throw dataError(place, `want a picture for each of ${count} marks, got a row without one`);
  if (count > 1) throw dataError(place, `want a picture for each of ${count} marks, got one`);
  if (count !== marks[0]!.length)
    throw dataError(place, "want the picture in the first question, got it in a later one");
  return rounds.map(({ question = "", answer }, i) => {
    const words = question.replace(llavaMark, "").trim();
    if (i > 0) return { instruction: `${words} `, answer };
    if (picture !== undefined) return { instruction: askAbout(question, words), answer };
    if (words === "") throw dataError(place, "want a question or a picture, got neither");
    return { instruction: `${words} `, answer };
  });
}

/** Undefined where nothing is asked: the answer is a caption. */
function askAbout(question: string, words: string): string | undefined {
  // Who writes our mark says the whole of it.
  if (question.includes(imageMark)) return question;
  return words === "" ? undefined : aboutPicture(words);
}
