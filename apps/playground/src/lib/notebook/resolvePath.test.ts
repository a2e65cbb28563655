import { expect, it } from "vitest";
import { resolvePath } from "./resolvePath.ts";

it.each([
  ["n.md", "dog.png", "dog.png"],
  ["n.md", "./pictures//dog.png", "pictures/dog.png"],
  ["a/b/n.md", "dog.png", "a/b/dog.png"],
  ["a/b/n.md", "../c/./dog.png", "a/c/dog.png"],
  ["a/b/n.md", "../../dog.png", "dog.png"],
])("from %s, %s is %s", (from, path, resolved) => {
  expect(resolvePath(from, path)).toBe(resolved);
});

it.each([
  ["n.md", "../dog.png"],
  ["a/n.md", "../../a/dog.png"],
  ["n.md", "/dog.png"],
  ["n.md", "https://example.org/dog.png"],
  ["n.md", "sha256:00"],
  ["n.md", ""],
])("from %s, %s leads nowhere", (from, path) => {
  expect(resolvePath(from, path)).toBeUndefined();
});
