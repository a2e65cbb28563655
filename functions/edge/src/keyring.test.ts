import { expect, it } from "vitest";
import { createKeyring } from "./keyring.ts";

const keys = [
  { name: "anna", key: "key-of-anna-0123456789" },
  { name: "ben", key: "key-of-ben-0123456789" },
];
const find = createKeyring(keys);

it("finds whose key it is", async () => {
  expect(await find("key-of-ben-0123456789")).toBe(keys[1]);
  expect(await find("key-of-anna-0123456789")).toBe(keys[0]);
});

it.each([
  "",
  "key-of-anna-012345678",
  "key-of-anna-01234567890",
  "Key-of-anna-0123456789",
  "x".repeat(100_000),
])("knows nobody of %.30s", async (token) => {
  expect(await find(token)).toBeUndefined();
});
