/**
 * Where in a long notebook a person is. Cells far from the screen are places of
 * an estimated height, so no number of pixels says where; a cell does.
 */

/** How the page is scrolled: a cell, and how far its top is from the screen's, in px. */
export interface Place {
  cell: string;
  top: number;
}

const storageKey = "places";
/** Of so many notebooks, the latest ones. */
const maxPlaces = 100;
/** Below the bar at the top. */
const eyeLine = 80; // px
/** Cells that come near the screen get their contents, and heights, within so many frames. */
const calmFrames = 6;
const maxFrames = 120;

const cellPlace = (id: string): Element | null => document.querySelector(`[data-cell="${id}"]`);

/** Undefined at the very top: what is new above the first cell is seen as well. */
function placeNow(): Place | undefined {
  if (scrollY <= 0) return undefined;
  const places = [...document.querySelectorAll<HTMLElement>("[data-cell]")];
  const seen = places.find((place) => place.getBoundingClientRect().bottom > eyeLine);
  const cell = seen?.dataset["cell"];
  return seen === undefined || cell === undefined
    ? undefined
    : { cell, top: seen.getBoundingClientRect().top };
}

/** Remembers the place in a notebook, known by `key`. */
export function keepPlace(key: string): void {
  const place = placeNow();
  const { [key]: _old, ...others } = read();
  const all = place === undefined ? others : { ...others, [key]: place };
  try {
    localStorage.setItem(
      storageKey,
      JSON.stringify(Object.fromEntries(Object.entries(all).slice(-maxPlaces))),
    );
  } catch {
    // No room: the notebook then opens at its top.
  }
}

/** Goes to where the notebook was left, or to its top. */
export function goToPlace(key: string | undefined): void {
  const place = key === undefined ? undefined : read()[key];
  if (place === undefined || cellPlace(place.cell) === null) return scrollTo({ top: 0 });
  hold(() => (cellPlace(place.cell)?.getBoundingClientRect().top ?? place.top) - place.top);
}

/** To the first or the last line, however far that turns out to be. */
export const goToEdge = (edge: "top" | "bottom"): void =>
  hold(() =>
    edge === "top" ? -scrollY : document.documentElement.scrollHeight - innerHeight - scrollY,
  );

let held: symbol | undefined;
for (const event of ["wheel", "touchstart", "pointerdown", "keydown"])
  globalThis.addEventListener?.(event, () => (held = undefined), { capture: true, passive: true });

/**
 * Scrolls until nothing moves any more, or a person does something.
 * @param distance how far it still is, in px
 */
function hold(distance: () => number): void {
  const mine = (held = Symbol("hold"));
  let calm = 0;
  let frames = 0;
  const step = (): void => {
    if (held !== mine) return;
    const by = distance();
    if (Math.abs(by) < 1) calm++;
    else {
      calm = 0;
      scrollBy({ top: by, behavior: "instant" });
    }
    if (calm < calmFrames && frames++ < maxFrames) requestAnimationFrame(step);
  };
  step();
}

function read(): Record<string, Place> {
  try {
    return JSON.parse(localStorage.getItem(storageKey) ?? "{}") as Record<string, Place>;
  } catch {
    return {};
  }
}
