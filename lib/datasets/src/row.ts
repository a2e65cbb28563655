/** What data sets consist of, in one form whatever file they come from. */

/** A picture of a data set; its bytes are read when they are asked for. */
export interface Picture {
  /** Its file, relative to the data, or the row it is in. */
  readonly name: string;
  /** The bytes of its file. @throws TinyGptvError "image" */
  read(): Promise<Uint8Array>;
}

/** x1, y1, x2, y2 in pixels of the picture. */
export type PixelBox = readonly [number, number, number, number];

interface Common {
  /** Unique in its data set. */
  readonly id: string;
  readonly picture: Picture;
  /** What kind of question it is, where the data set tells: results are told apart by it. */
  readonly type?: string | undefined;
  /** File and line, row or entry it was read from, for messages. */
  readonly at: string;
}

/** A question and what people answered, each answer as often as it was given. */
export interface QuestionRow extends Common {
  readonly kind: "question";
  readonly question: string;
  readonly answers: readonly string[];
}

/** A text that is true of the picture or is not: a statement, or whether a meme is hateful. */
export interface LabelRow extends Common {
  readonly kind: "label";
  readonly text: string;
  readonly label: boolean;
}

/** A question with the answers to choose from. */
export interface ChoiceRow extends Common {
  readonly kind: "choice";
  readonly question: string;
  readonly choices: readonly string[];
  /** Index of the right one. */
  readonly answer: number;
}

/** A picture with descriptions of it. */
export interface CaptionRow extends Common {
  readonly kind: "captions";
  readonly captions: readonly string[];
}

/** A phrase and where what it means is in the picture. */
export interface PhraseRow extends Common {
  readonly kind: "phrase";
  readonly phrase: string;
  readonly boxes: readonly PixelBox[];
  /** Of the picture, where the data set tells. */
  readonly size?: { readonly width: number; readonly height: number } | undefined;
}

/** One item of a data set. */
export type Row = QuestionRow | LabelRow | ChoiceRow | CaptionRow | PhraseRow;
