import { expect, it } from "vitest";
import { cellNameOf } from "./takePicture.ts";

it.each([
  ["dog.png", "dog"],
  ["my dog (2).jpeg", "my-dog-2"],
  ["C:\\photos\\Été à la mer.JPG", "Ete-a-la-mer"],
  ["2024-05-01 12.30.png", "picture"],
  ["IMG_2024.heic", "IMG_2024"],
  ["image.png", "picture"],
  ["狗.png", "picture"],
  [".png", "picture"],
  [`${"a".repeat(200)}.png`, "a".repeat(40)],
])("a cell for %j is called %s", (file, name) => {
  expect(cellNameOf(file)).toBe(name);
});
