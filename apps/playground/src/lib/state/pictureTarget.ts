/** Where a picture was put. */
export interface PictureTarget {
  /** Id of the cell. */
  cell: string;
  /** Question of an evaluation, from 0. */
  item?: number;
  /** Whether it takes the place of the picture that is there. */
  replace?: boolean;
}

/** The target under a place on the page, by the marks components put on their elements. */
export function targetAt(place: EventTarget | null): PictureTarget | undefined {
  if (!(place instanceof Element)) return undefined;
  const cell = place.closest<HTMLElement>("[data-cell]")?.dataset["cell"];
  if (cell === undefined) return undefined;
  const item = place.closest<HTMLElement>("[data-item]")?.dataset["item"];
  return {
    cell,
    ...(item !== undefined && { item: Number(item) }),
    replace: place.closest("[data-takes-picture]") !== null,
  };
}
