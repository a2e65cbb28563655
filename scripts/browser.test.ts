import { expect, test } from "vitest";
import { bringBrowser, findBrowser } from "./browser.ts";
import type { Machine } from "./browser.ts";

/** A machine with these programs; installing a package puts it into /usr/bin. */
function machine(programs: string[], { env = {}, isRoot = false }: Partial<Machine> = {}) {
  const present = new Set(programs);
  const commands: string[] = [];
  return {
    commands,
    env: { PATH: "/usr/local/bin:/usr/bin", ...env },
    isRoot,
    exists: (path: string) => present.has(path),
    run: async (command: string, args: readonly string[]) => {
      commands.push([command, ...args].join(" "));
      if (args.includes("install")) present.add(`/usr/bin/${args.at(-1)}`);
    },
  };
}

test("an installed Chromium or Chrome is found", () => {
  expect(findBrowser(machine(["/usr/bin/chromium"]))).toBe("/usr/bin/chromium");
  expect(findBrowser(machine(["/usr/local/bin/google-chrome"]))).toBe(
    "/usr/local/bin/google-chrome",
  );
  const mac = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome";
  expect(findBrowser(machine([mac]))).toBe(mac);
  expect(findBrowser(machine(["/usr/bin/firefox"]))).toBeUndefined();
});

test("the one without a window comes before those with one", () => {
  const shell = "/usr/local/bin/chromium-headless-shell";
  expect(findBrowser(machine(["/usr/bin/chromium", shell]))).toBe(shell);
});

test("CHROMIUM_PATH comes before what is installed", () => {
  const env = { CHROMIUM_PATH: "/opt/chrome" };
  expect(findBrowser(machine(["/usr/bin/chromium", "/opt/chrome"], { env }))).toBe("/opt/chrome");
  expect(() => findBrowser(machine(["/usr/bin/chromium"], { env }))).toThrow(
    "CHROMIUM_PATH: want a program, got /opt/chrome, which does not exist",
  );
});

test("root on Debian gets Chromium installed, once", async () => {
  const debian = machine(["/usr/bin/apt-get"], { isRoot: true });
  const shell = "/usr/bin/chromium-headless-shell";
  expect(await bringBrowser(debian)).toBe(shell);
  expect(await bringBrowser(debian)).toBe(shell);
  expect(debian.commands).toEqual([
    "apt-get update -qq",
    "apt-get install -y -qq chromium-headless-shell",
  ]);
});

test.each([
  ["somebody who is not root", machine(["/usr/bin/apt-get"])],
  ["a machine without apt-get", machine([], { isRoot: true })],
])("%s is told what to do", async (_, poor) => {
  await expect(bringBrowser(poor)).rejects.toThrow(
    "sudo apt-get install -y chromium-headless-shell",
  );
  expect(poor.commands).toEqual([]);
});
