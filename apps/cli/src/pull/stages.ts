/** Training stages with a published file; apart from the table of files, so that looking at options stays quick. */
export const stages = ["1", "2", "3", "4"] as const;
export type Stage = (typeof stages)[number];
