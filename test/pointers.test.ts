import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..");

/** Sources and texts, without what is made from them. */
const files = globSync("**/*.{ts,mjs,svelte,md}", {
  cwd: root,
  exclude: [
    "**/node_modules",
    "**/.*",
    "**/build",
    "**/dist",
    "models/*/converted*",
    "test/artefacts",
  ],
});

const read = (file: string) => readFileSync(join(root, file), "utf8");

/** File names that a text points at: in backticks in Markdown, in comments elsewhere. */
function mentions(file: string): string[] {
  const text = read(file);
  const places = file.endsWith(".md")
    ? text.matchAll(/`([^`\s]+)`/g)
    : text.matchAll(
        /(?:^|\s)(?:\/\/|\/?\*+|<!--)(?: .*)?[ (`]([\w./-]+\.(?:ts|mjs|svelte|md))\b/gm,
      );
  return [...places]
    .map(([, name]) => name!.replace(/^\.?\//, ""))
    .filter((name) => /^[\w./-]*\w\.(ts|mjs|svelte|md)$/.test(name));
}

test("files that comments and pages speak of are there", () => {
  const stale = files.flatMap((file) =>
    mentions(file)
      .filter((name) => !files.some((each) => `/${each}`.endsWith(`/${name}`)))
      .filter((name) => !existsSync(join(root, name)))
      .map((name) => `${file}: ${name}`),
  );
  expect(stale).toEqual([]);
});

test("links between pages lead somewhere", () => {
  const broken = files
    .filter((file) => file.endsWith(".md") && !file.startsWith("notebooks/"))
    .flatMap((file) =>
      [...read(file).matchAll(/\]\(([^)#\s:]+)(?:#[^)]*)?\)/g)]
        .filter(([, target]) => !existsSync(join(root, dirname(file), target!)))
        .map(([, target]) => `${file}: ${target}`),
    );
  expect(broken).toEqual([]);
});
