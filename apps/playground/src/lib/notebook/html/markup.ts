/** HTML that may stand in HTML as it is. */
export interface Markup {
  readonly html: string;
}
export type Part = Markup | string | number | false | undefined | readonly Part[];

/** A template for HTML: whatever is put into it is escaped, unless it is markup itself. */
export const markup = (texts: TemplateStringsArray, ...parts: readonly Part[]): Markup => ({
  html: texts.map((text, i) => text + written(parts[i])).join(""),
});

/** For HTML that was made safe elsewhere. */
export const trusted = (html: string): Markup => ({ html });

function written(part: Part): string {
  if (part === undefined || part === false) return "";
  if (typeof part === "number") return String(part);
  if (typeof part === "string")
    return part.replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`);
  return "html" in part ? part.html : part.map(written).join("");
}
