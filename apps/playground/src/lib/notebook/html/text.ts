import { renderMarkdown } from "../renderMarkdown.ts";
import { trusted, type Markup } from "./markup.ts";

/** Markdown without anything that is fetched: the page needs nothing, and tells nobody that it is read. */
export function textOf(source: string): Markup {
  const { body } = new DOMParser().parseFromString(renderMarkdown(source), "text/html");
  for (const element of body.querySelectorAll("[background]"))
    element.removeAttribute("background");
  for (const element of body.querySelectorAll("[src],[srcset],[poster]")) {
    const address = element.getAttribute("src") ?? "";
    element.removeAttribute("srcset");
    if (element.tagName === "IMG" && address.startsWith("data:image/")) continue;
    const link = document.createElement("a");
    if (/^https?:/.test(address)) link.href = address;
    link.textContent = element.getAttribute("alt") || address;
    element.replaceWith(link);
  }
  return trusted(body.innerHTML);
}
