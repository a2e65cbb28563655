/**
 * The one page is rendered when it is built, as it is before it knows anything of
 * this browser: it can be seen before a script has come.
 */
export const prerender = true;
