import DOMPurify from "dompurify";
import { marked } from "marked";

/** Markdown as HTML that cannot run anything: texts come from shared notebooks too. */
export function renderMarkdown(source: string): string {
  const html = marked.parse(source, { async: false, gfm: true });
  return DOMPurify.sanitize(html, {
    USE_PROFILES: { html: true },
    FORBID_TAGS: ["style", "form", "input", "button"],
    FORBID_ATTR: ["style", "id", "class"],
  });
}
