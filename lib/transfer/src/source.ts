/** Something went wrong that another try may mend. */
export class Interruption extends Error {
  override readonly name = "Interruption";
  /** Milliseconds before which another try is of no use. */
  readonly after: number;
  /** Whether what has come so far is of no use either. */
  readonly isFromStart: boolean;

  constructor(
    reason: string,
    { after = 0, isFromStart = false, cause }: Partial<InterruptionDetails> = {},
  ) {
    super(reason, { cause });
    this.after = after;
    this.isFromStart = isFromStart;
  }
}

interface InterruptionDetails {
  after: number;
  isFromStart: boolean;
  cause: unknown;
}

/** What has come of a file so far. */
export interface Beginning {
  bytes: number;
  /** What the source said of the file then; undefined where nothing was. */
  validator: string | undefined;
}

/** A file's bytes on their way. */
export interface Opened {
  /** The first byte that comes: where the beginning ends, or 0 where it is of another file. */
  start: number;
  /** Of the whole file, where it is known. */
  size: number | undefined;
  /** Changes where the file does; undefined where nothing can be resumed. */
  validator: string | undefined;
  body: AsyncIterable<Uint8Array>;
}

/** Where a file comes from. */
export interface Source {
  /** What messages call it. */
  readonly name: string;
  /**
   * Asks for what is still missing.
   * @throws Interruption; anything else is final. So does the body.
   */
  open(had: Beginning, signal: AbortSignal): Promise<Opened>;
}
