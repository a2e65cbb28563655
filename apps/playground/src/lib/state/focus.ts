/** Cells and the keyboard: where the focus goes when a cell is chosen, written into or left. */

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

/** Leaves a text: the focus goes to its cell, where single keys are commands. */
export function leaveText(text: HTMLElement): void {
  const item = text.closest<HTMLElement>("[role=listitem]");
  if (item === null) text.blur();
  else item.focus({ preventScroll: true });
}

/** Whether it is no more than a cell, or the page. */
export const isCell = (target: EventTarget | null): boolean =>
  target === document.body ||
  (target instanceof HTMLElement && target.getAttribute("role") === "listitem");

/** Whether keys typed there belong to a text. */
export const isEditing = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName));
