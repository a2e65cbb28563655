import { TinyGptvError, renamed } from "@tinygptv/protocol";
import { settingOf } from "./table.ts";

/** What is wrong with settings that are right one by one, and at which of them to say it. */
export interface Problem {
  subject: string | undefined;
  message: string;
}

/** The controls' names for the parameters; what is no setting keeps its own. */
export const labelOf = (name: string): string => settingOf(name)?.label ?? name;

/** Tells before anything runs what planning would throw, with the controls' names for the parameters. */
export function problemIn(plan: () => unknown): Problem | undefined {
  try {
    plan();
    return undefined;
  } catch (error) {
    if (!(error instanceof TinyGptvError)) throw error;
    return { subject: error.subject, message: renamed(error, labelOf).message };
  }
}
