/** Which command a key gives, by where the focus is. */
import { createKeybindingsHandler } from "tinykeys";
import type { App } from "./app.svelte.ts";
import { cellItem, isEditing, isFrame, leave } from "./focus.ts";
import { goToEdge } from "./scroll.ts";
import { commands, type Command } from "./shortcuts.ts";

/** A key that a person may press while meaning a button, a link or a text. */
const isSingle = (keys: string): boolean => !/\$mod|Alt/.test(keys);

/**
 * Single keys are commands only while a cell as a whole has the focus: on
 * everything inside it they belong to what has it. With the focus on nothing
 * they may lead into the page, never change it.
 */
function isMeant({ keys = "", everywhere, onPage }: Command, target: EventTarget | null): boolean {
  if (isSingle(keys)) return isFrame(target) || (onPage === true && target === document.body);
  return everywhere === true || !isEditing(target);
}

/** Home and End of the page, not of a text, a list or a slider. */
function edgeOf({ key, target, defaultPrevented, altKey, shiftKey }: KeyboardEvent) {
  const onPage = target === document.body || (target instanceof Element && target.closest("main"));
  if (!onPage || defaultPrevented || altKey || shiftKey || isEditing(target)) return undefined;
  return key === "Home" ? "top" : key === "End" ? "bottom" : undefined;
}

/** The page's keyboard: commands, Home and End, and Escape from anything in a cell to the cell. */
export function keyboard(app: App): (event: KeyboardEvent) => void {
  const bindings = commands.flatMap((command) =>
    command.keys === undefined
      ? []
      : [
          [
            command.keys,
            (event: KeyboardEvent) => {
              if (event.defaultPrevented || !isMeant(command, event.target)) return;
              if (app.dialog !== undefined && command.everywhere !== true) return;
              event.preventDefault();
              command.run(app);
            },
          ] as const,
        ],
  );
  // Which keys are ignored while writing is each command's own affair.
  const onCommand = createKeybindingsHandler(Object.fromEntries(bindings), {
    ignore: ({ isComposing }) => isComposing,
  });
  return (event) => {
    const { key, target, defaultPrevented } = event;
    if (key === "Escape" && !defaultPrevented && (isEditing(target) || cellItem(target) !== null))
      leave(target as HTMLElement);
    const edge = app.dialog === undefined ? edgeOf(event) : undefined;
    if (edge !== undefined) {
      event.preventDefault();
      goToEdge(edge);
    }
    onCommand(event);
  };
}
