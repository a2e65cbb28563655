/** Cells and the keyboard: where the focus goes when a cell is chosen, written into or left. */
import { tick } from "svelte";

const itemOf = (id: string): HTMLElement | null =>
  document
    .querySelector<HTMLElement>(`[data-cell="${id}"]`)
    ?.closest<HTMLElement>("[role=listitem]") ?? null;

/** Puts the focus on a cell as a whole: Tab goes into it from there. */
export const focusCell = (id: string): void => itemOf(id)?.focus({ preventScroll: true });

/** Where writing begins: a text's button, a question, a picture's ways in, a chart's choices. */
const entrances = ["button.edit", ".cm-content", ".drop button", "input", "select"];

/** Starts writing in a cell. */
export function enterCell(id: string): void {
  const item = itemOf(id);
  const found = entrances.map((entrance) => item?.querySelector<HTMLElement>(`.body ${entrance}`));
  const entrance = found.find((element) => element instanceof HTMLElement);
  if (entrance?.matches("button.edit")) entrance.click();
  else entrance?.focus();
}

/**
 * Puts the cursor into a field that a command is about to make: the last one in
 * the cell that `selector` finds.
 */
export async function enterNew(id: string, selector: string): Promise<void> {
  await tick();
  [...(itemOf(id)?.querySelectorAll<HTMLElement>(selector) ?? [])].at(-1)?.focus();
}

/** The cell something is in. */
export const cellItem = (target: EventTarget | null): HTMLElement | null =>
  target instanceof HTMLElement
    ? target.closest<HTMLElement>("[role=listitem]:has([data-cell])")
    : null;

/** Leaves a text or a button: the focus goes to its cell, where single keys are commands. */
export function leave(element: HTMLElement): void {
  const item = cellItem(element);
  if (item === null) element.blur();
  else item.focus({ preventScroll: true });
}

/** Whether it is a cell as a whole, and nothing in it. */
export const isFrame = (target: EventTarget | null): boolean =>
  target !== null && cellItem(target) === target;

/** Whether keys typed there belong to a text. */
export const isEditing = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName));
