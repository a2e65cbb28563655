// Notebooks live in the browser: there is nothing a server could render.
export const ssr = false;
