import { expect, it } from "vitest";
import { pageOriginSchema } from "./pageOrigin.ts";

it.each([
  ["https://page.example", "https://page.example"],
  ["https://page.example/", "https://page.example"],
  ["HTTPS://Page.Example:443/", "https://page.example"],
  ["http://localhost:5173", "http://localhost:5173"],
  ["http://[::1]:8000", "http://[::1]:8000"],
  ["https://bücher.example", "https://xn--bcher-kva.example"],
  ["chrome-extension://abcdefghijklmnop", "chrome-extension://abcdefghijklmnop"],
  ["app://obsidian.md", "app://obsidian.md"],
  ["Capacitor://LOCALHOST", "capacitor://localhost"],
])("a page at %s calls as %s", (text, origin) => {
  expect(pageOriginSchema.parse(text)).toBe(origin);
});

it.each([
  "localhost:5173",
  "page.example",
  "null",
  "*",
  "https://*.page.example",
  "https://page.example/app",
  "https://page.example?a",
  "https://user@page.example",
  "file:///index.html",
  "data:text/html,x",
  "",
])("%j is no page's origin", (text) => {
  expect(() => pageOriginSchema.parse(text)).toThrow("want what a browser calls");
});
