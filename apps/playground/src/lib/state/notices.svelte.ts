/** What the page has to say about something that happened, until it is dismissed or no longer true. */
export interface Notice {
  /** What it is about; the next one about the same takes its place. */
  about: string;
  kind: "error" | "warning" | "info";
  text: string;
  /** One by one, below the text. */
  details?: readonly string[];
}

export class Notices {
  list = $state.raw<readonly Notice[]>([]);

  say(notice: Notice): void {
    this.list = [...this.list.filter(({ about }) => about !== notice.about), notice];
  }

  /** What went wrong, in the error's words. */
  blame(about: string, error: unknown): void {
    this.say({
      about,
      kind: "error",
      text: error instanceof Error ? error.message : String(error),
    });
  }

  drop(about: string): void {
    this.list = this.list.filter((notice) => notice.about !== about);
  }
}
