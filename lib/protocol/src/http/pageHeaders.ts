/**
 * Headers of pages and what they load. What a page may run it says itself, since
 * it knows its own scripts; that nobody may frame it can only be said in a header.
 */
export const pageHeaders = {
  "content-security-policy": "frame-ancestors 'none'",
  "x-frame-options": "DENY",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
} as const;
