/** Something of the page that is loaded when it is first wanted, and then stays. */
export class Part<Loaded> {
  value = $state.raw<Loaded | undefined>();
  failed = $state(false);
  #loading: Promise<Loaded> | undefined;
  readonly #fetch: () => Promise<Loaded>;

  constructor(fetch: () => Promise<Loaded>) {
    this.#fetch = fetch;
  }

  /** One that is there from the beginning. */
  static of<Loaded>(value: Loaded): Part<Loaded> {
    const part = new Part<Loaded>(async () => value);
    part.value = value;
    return part;
  }

  /**
   * Loads it, if it is not there yet; what failed is tried again.
   * @throws Error in words for the page
   */
  load(): Promise<Loaded> {
    return (this.#loading ??= this.#try());
  }

  async #try(): Promise<Loaded> {
    this.failed = false;
    try {
      return (this.value = await this.#fetch());
    } catch (cause) {
      this.failed = true;
      this.#loading = undefined;
      throw new Error(
        "This part of the page could not be loaded. Try again once its server answers.",
        {
          cause,
        },
      );
    }
  }
}
