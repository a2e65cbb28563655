import { TinyGptvError } from "@tinygptv/protocol";
import { settings } from "./table.ts";

/** What is wrong with settings that are right one by one, and at which of them to say it. */
export interface Problem {
  subject: string | undefined;
  message: string;
}

const names = new RegExp(`\\b(${settings.map(({ key }) => key).join("|")})\\b`, "g");
const labels = new Map<string, string>(settings.map(({ key, label }) => [key, label]));

/** Tells before anything runs what planning would throw, with the controls' names for the parameters. */
export function problemIn(plan: () => unknown): Problem | undefined {
  try {
    plan();
    return undefined;
  } catch (error) {
    if (!(error instanceof TinyGptvError)) throw error;
    const message = error.message.replace(names, (key) => labels.get(key) ?? key);
    return { subject: error.subject, message };
  }
}
