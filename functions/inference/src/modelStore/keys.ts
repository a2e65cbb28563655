/**
 * Where converted models live in a store. Files are named by their content, so
 * they never change and levels and versions share them; the manifest, written
 * last, is what makes a model visible and says which files it has.
 */
export const manifestKey = (name: string) => `models/${name}/manifest.json`;
export const fileKey = (name: string, sha256: string) => `models/${name}/files/${sha256}`;
