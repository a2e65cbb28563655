import type { Attachment } from "svelte/attachments";

type Listener = (near: boolean, height: number) => void;

const listeners = new WeakMap<Element, Listener>();
let observer: IntersectionObserver | undefined;

/** One observer for all cells: two screens above and below count as near. */
function shared(): IntersectionObserver {
  observer ??= new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting, boundingClientRect } of entries) {
        // The focused cell stays: its editor must not vanish under the cursor.
        const focused = target.contains(document.activeElement);
        listeners.get(target)?.(isIntersecting || focused, boundingClientRect.height);
      }
    },
    { rootMargin: "200% 0px" },
  );
  return observer;
}

/** Tells whether an element is on or near the screen, and how high it is. */
export const nearScreen =
  (listener: Listener): Attachment =>
  (element) => {
    listeners.set(element, listener);
    shared().observe(element);
    return () => shared().unobserve(element);
  };
