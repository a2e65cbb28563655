import type { Fault } from "@tinygptv/protocol";
import { settingNames } from "./cell.ts";
import { nearest } from "./nearest.ts";

/** What a schema finds wrong in a file, for a person: a setting that does not exist was most likely meant to be one that does. */
export function faultText({ at, kind, message, path }: Fault): string {
  const where = at === "" ? "" : `${at}: `;
  if (kind !== "unknown") return where + message;
  const meant = nearest(String(path.at(-1)), settingNames);
  return `${where}there is no such setting here${meant === undefined ? "" : `; did you mean ${meant}?`}`;
}
