/** What a check says: `ok`; `optional`, for what is not there and need not be; or `fix`, with what to do. */
export interface Finding {
  state: "ok" | "optional" | "fix";
  /** What was looked at. */
  subject: string;
  text: string;
}

/** A part of the machine or the deployment that is looked at; what it finds it says, and it throws nothing that is meant. */
export type Check = () => Promise<Finding[]>;

/** Findings about one subject. */
export function about(subject: string): Record<Finding["state"], (text: string) => Finding> {
  return {
    ok: (text) => ({ state: "ok", subject, text }),
    optional: (text) => ({ state: "optional", subject, text }),
    fix: (text) => ({ state: "fix", subject, text }),
  };
}
