import { fromMarkdown } from "@tinygptv/notebook";
import type { Notebook } from "@tinygptv/notebook";

/** The notebooks of the repository; they run headless too. */
const sources = import.meta.glob<string>("../../../../../notebooks/*.md", {
  query: "?raw",
  import: "default",
  eager: true,
});

export interface Example {
  name: string;
  title: string;
  read: () => Notebook;
}

/** In the order somebody new would read them. */
const order = ["first-steps", "decoding", "quantization-levels", "grounding"];

export const examples: readonly Example[] = Object.entries(sources)
  .map(([path, source]) => {
    const file = path.replace(/^.*\//, "");
    const name = file.replace(/\.md$/, "");
    const title = /^title: (.*)$/m.exec(source)?.[1] ?? name;
    return { name, title, read: () => fromMarkdown(source, file).notebook };
  })
  .toSorted((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
