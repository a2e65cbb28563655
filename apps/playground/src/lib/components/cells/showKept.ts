import { pictureSource } from "#lib/storage/pictures.ts";

/**
 * Shows the pictures of a rendered text that are kept in this browser.
 * @param _source the text: another one is looked through again
 */
export const showKept =
  (_source: string) =>
  (text: HTMLElement): void => {
    for (const image of text.querySelectorAll<HTMLImageElement>("img[data-kept]")) {
      pictureSource(image.dataset["kept"] ?? "").then(
        (address) => (image.src = address),
        (error: unknown) =>
          image.replaceWith(error instanceof Error ? error.message : String(error)),
      );
    }
  };
