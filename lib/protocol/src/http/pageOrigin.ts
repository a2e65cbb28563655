import { z } from "zod";

const wanted =
  "want what a browser calls the page's origin, as https://page.example, http://localhost:5173 or chrome-extension://ID";

/**
 * The origin of pages that may call from a browser, spelled as the browser
 * does in `Origin`: lower case, no slash at the end, no default port. `null`
 * is none: every page can have it, in a sandboxed frame.
 */
export const pageOriginSchema = z.string().transform((text, context) => {
  const origin = originOf(text);
  if (origin !== undefined) return origin;
  context.addIssue({ code: "custom", message: `${wanted}, got ${JSON.stringify(text)}` });
  return z.NEVER;
});

function originOf(text: string): string | undefined {
  // `localhost:5173` parses as a URL, too, of a scheme called localhost.
  if (!/^[a-z][a-z0-9+.-]*:\/\/[^/?#@\s*]+\/?$/i.test(text) || !URL.canParse(text))
    return undefined;
  const { origin, protocol, host } = new URL(text);
  if (/^https?:$/.test(protocol)) return origin;
  // Of extensions and apps the origin is scheme and host; `new URL` calls it "null".
  return protocol === "file:" ? undefined : `${protocol}//${host.toLowerCase()}`;
}
