/**
 * A path relative to a file, as the path from the root both lie under.
 * @returns undefined where it leads out of there, or is no relative path
 */
export function resolvePath(from: string, path: string): string | undefined {
  if (path === "" || path.startsWith("/") || /^[A-Za-z][A-Za-z0-9+.-]*:/.test(path))
    return undefined;
  const parts = from.split("/").slice(0, -1);
  for (const part of path.split("/")) {
    if (part === ".." && parts.pop() === undefined) return undefined;
    if (part !== ".." && part !== "." && part !== "") parts.push(part);
  }
  return parts.join("/");
}
