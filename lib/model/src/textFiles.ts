/** The text files of a folder, wherever it is: on a disk, behind an address, in a page's cache. */
export interface TextFiles {
  /** Where they are, for messages. */
  readonly name: string;
  /**
   * A file's text; undefined where there is no such file.
   * @throws TinyGptvError "io" where there is one that cannot be read
   */
  read(file: string): Promise<string | undefined>;
}
