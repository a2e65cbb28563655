/** One example to learn from: what is shown, what is said, and what is to be answered. */
export interface Example {
  /** Where it comes from, for messages: `train.jsonl:12`. */
  readonly place: string;
  /** Path of the picture, or its place in a shard (`readPicture` reads both), for each `<ImageHere>` in the prompts; undefined where there is none. */
  readonly picture: string | undefined;
  /** Whole prompts as the model reads them, template included, and the answer to each; at least one. Begin tokens are not among them. */
  readonly rounds: readonly { readonly prompt: string; readonly answer: string }[];
  /** What ends every answer: `###`, or a line break. */
  readonly endSymbol: string;
  /** Tokens that the answers may have together; what is longer is cut. */
  readonly maxAnswerTokens: number;
}
