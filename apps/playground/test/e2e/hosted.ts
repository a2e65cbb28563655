import { afterAll, afterEach, beforeAll } from "vitest";
import type { Command } from "../support/server.ts";
import { startPlayground, type Playground } from "./playground.ts";

/**
 * A playground for the tests of one file. Each of them begins without pages, and
 * leaves the browser's console free of errors.
 * @param command another server than the one with nano
 */
export function hostPlayground(command?: Command): Omit<Playground, "endTest" | "close"> {
  let started: Playground | undefined;
  const now = (): Playground => {
    if (started === undefined) throw new Error("the playground starts with the first test");
    return started;
  };
  beforeAll(async () => {
    started = await startPlayground(command);
  });
  afterEach(() => now().endTest());
  afterAll(() => started?.close());
  return {
    get server() {
      return now().server;
    },
    open: (options) => now().open(options),
    openBeside: (page) => now().openBeside(page),
    screenshot: (page, name) => now().screenshot(page, name),
  };
}
