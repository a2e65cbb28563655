import DOMPurify from "dompurify";
import { marked } from "marked";

/**
 * Markdown as HTML that cannot run anything and fetches nothing: texts come from
 * shared notebooks too, and reading one must not tell anybody.
 * @param pictures addresses of kept pictures (`sha256:…`); those without one are
 *   marked with `data-kept` for the page to fill in
 */
export function renderMarkdown(
  source: string,
  pictures: ReadonlyMap<string, string> = new Map(),
): string {
  const html = DOMPurify.sanitize(marked.parse(source, { async: false, gfm: true }), {
    USE_PROFILES: { html: true },
    FORBID_TAGS: ["style", "form", "input", "button"],
    FORBID_ATTR: ["style", "id", "class", "background", "srcset"],
  });
  // A document of its own: in ours the pictures would be on their way already.
  const { body } = new DOMParser().parseFromString(html, "text/html");
  for (const element of body.querySelectorAll("[src],[poster]")) {
    const address = element.getAttribute("src") ?? "";
    const kept = element.tagName === "IMG" ? /^sha256:[0-9a-f]{64}/.exec(address)?.[0] : undefined;
    const known = kept === undefined ? undefined : pictures.get(kept);
    if (known !== undefined) element.setAttribute("src", known);
    else if (kept !== undefined) {
      element.removeAttribute("src");
      element.setAttribute("data-kept", kept);
    } else if (element.tagName !== "IMG" || !address.startsWith("data:image/"))
      element.replaceWith(linkTo(address, element.getAttribute("alt")));
  }
  return body.innerHTML;
}

/** What would have been fetched, for those who want to see it. */
function linkTo(address: string, alt: string | null): HTMLAnchorElement {
  const link = document.createElement("a");
  if (/^https?:/.test(address)) link.href = address;
  link.textContent = alt || address;
  return link;
}
