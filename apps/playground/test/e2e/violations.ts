import { readFile } from "node:fs/promises";
import type { Page } from "playwright-core";

const axe = await readFile(
  new URL("../../node_modules/axe-core/axe.min.js", import.meta.url),
  "utf8",
);

interface Violation {
  id: string;
  impact: string;
  nodes: { html: string }[];
}

/**
 * What axe finds in a part of the page, but for what it calls minor.
 * @param part a selector
 * @param rules those to try; all where left out
 */
export async function violations(page: Page, part: string, rules?: string[]): Promise<string[]> {
  if (!(await page.evaluate("'axe' in globalThis"))) await page.evaluate(axe);
  const options = JSON.stringify({ resultTypes: ["violations"], runOnly: rules });
  const found = await page.evaluate<Violation[]>(
    `axe.run(${JSON.stringify(part)}, ${options}).then(({ violations }) => violations)`,
  );
  return found
    .filter(({ impact }) => impact !== "minor")
    .flatMap(({ id, impact, nodes }) =>
      nodes.map(({ html }) => `${impact} ${id}: ${html.slice(0, 200)}`),
    );
}
