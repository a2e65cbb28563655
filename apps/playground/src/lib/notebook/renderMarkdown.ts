import DOMPurify from "dompurify";
import { marked } from "marked";

/**
 * Markdown as HTML that cannot run anything and fetches nothing: texts come from
 * shared notebooks too, and reading one must not tell anybody.
 */
export function renderMarkdown(source: string): string {
  const html = DOMPurify.sanitize(marked.parse(source, { async: false, gfm: true }), {
    USE_PROFILES: { html: true },
    FORBID_TAGS: ["style", "form", "input", "button"],
    FORBID_ATTR: ["style", "id", "class", "background", "srcset"],
  });
  // A document of its own: in ours the pictures would be on their way already.
  const { body } = new DOMParser().parseFromString(html, "text/html");
  for (const element of body.querySelectorAll("[src],[poster]")) {
    const address = element.getAttribute("src") ?? "";
    if (element.tagName !== "IMG" || !address.startsWith("data:image/"))
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
