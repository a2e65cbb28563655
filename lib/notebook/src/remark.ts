/**
 * What is said about a file that was opened: a sentence for a person.
 * A "mistake" is in a cell, which is kept as it is written and cannot run until
 * it is mended. A "note" is about what was left out or taken in another way.
 */
export interface Remark {
  kind: "mistake" | "note";
  /** `line 12`, `cell 3`, or the name of a file. */
  place: string;
  message: string;
}

/** `line 12: decoding.temperature: want at least 0, got -1` */
export const remarkText = ({ place, message }: Remark): string => `${place}: ${message}`;

/** Something wrong in a piece of text, by its line from 0. */
export interface Mistake {
  line: number;
  message: string;
}
