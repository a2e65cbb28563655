import type { Attachment } from "svelte/attachments";

type Listener = (near: boolean, height: number) => void;

const listeners = new WeakMap<Element, Listener>();
/** One for all elements with the same margin. */
const observers = new Map<string, IntersectionObserver>();

function observerOf(margin: string): IntersectionObserver {
  const known = observers.get(margin);
  if (known !== undefined) return known;
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting, boundingClientRect } of entries) {
        // The focused cell stays: its editor must not vanish under the cursor.
        const focused = target.contains(document.activeElement);
        listeners.get(target)?.(isIntersecting || focused, boundingClientRect.height);
      }
    },
    { rootMargin: `${margin} 0px` },
  );
  observers.set(margin, observer);
  return observer;
}

/**
 * Tells whether an element is on or near the screen, and how high it is in px.
 * @param margin how far above and below still counts as near, in parts of a screen
 */
export const nearScreen =
  (listener: Listener, margin = "200%"): Attachment =>
  (element) => {
    const observer = observerOf(margin);
    listeners.set(element, listener);
    observer.observe(element);
    return () => observer.unobserve(element);
  };
