/** Pictures that are none, too large, or not to be had. */
import { afterAll, beforeAll, test } from "vitest";
import { chat, user, expectAnswer, expectRefusal, openServer } from "./refusals.ts";
import type { BadRequest } from "./refusals.ts";
import { dataUrl, redPixel } from "../../src/testing/pictures.ts";
import type { TestServer } from "../testServer.ts";

let server: TestServer;
beforeAll(async () => {
  server = await openServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const image = (url: unknown, more: object = {}) => [
  user([{ type: "image_url", image_url: { url, ...more } }]),
];
const zip = Buffer.from("PK\x03\x04 and so on");

test.each<BadRequest>([
  [
    "a picture without URL",
    chat,
    { messages: image(undefined) },
    "missing_required_parameter",
    "messages[0].content[0].image_url.url",
  ],
  [
    "an unknown detail",
    chat,
    { messages: image(dataUrl(redPixel), { detail: "ultra" }) },
    "invalid_value",
    "messages[0].content[0].image_url.detail",
  ],
  ["a path for a URL", chat, { messages: image("/etc/passwd") }, "invalid_image_url"],
  ["a file URL", chat, { messages: image("file:///etc/passwd") }, "invalid_image_url"],
  ["the loopback", chat, { messages: image("http://127.0.0.1:1/") }, "image_url_refused"],
  ["the loopback by name", chat, { messages: image("http://localhost:1/") }, "image_url_refused"],
  [
    "the loopback in disguise",
    chat,
    { messages: image("http://[::ffff:7f00:1]/") },
    "image_url_refused",
  ],
  [
    "cloud metadata",
    chat,
    { messages: image("http://169.254.169.254/latest/") },
    "image_url_refused",
  ],
  ["a decimal address", chat, { messages: image("http://2130706433/") }, "image_url_refused"],
  [
    "a data URL that is not base64",
    chat,
    { messages: image("data:image/png;base64,???") },
    "invalid_image_url",
  ],
  [
    "a data URL of HTML",
    chat,
    { messages: image("data:text/html;base64,AAAA") },
    "invalid_image_url",
  ],
  ["an empty picture", chat, { messages: image("data:image/png;base64,") }, "invalid_image"],
  ["a zip file as a picture", chat, { messages: image(dataUrl(zip)) }, "invalid_image"],
  ["an SVG as a PNG", chat, { messages: image(dataUrl(Buffer.from("<svg/>"))) }, "invalid_image"],
  ["a picture cut off", chat, { messages: image(dataUrl(redPixel.slice(0, 10))) }, "invalid_image"],
  [
    "a picture too large",
    chat,
    { messages: image(dataUrl(new Uint8Array(6000))) },
    "image_too_large",
  ],
  [
    "too many pictures",
    chat,
    { messages: Array(4).fill(image(dataUrl(redPixel))[0]) },
    "invalid_value",
    "messages",
  ],
  ["a handle nobody has", chat, { messages: image(`img_${"0".repeat(64)}`) }, "image_not_found"],
  ["a handle that climbs", chat, { messages: image("img_../../../etc/passwd") }, "image_not_found"],
])("%s", (...refused) => expectRefusal(server, ...refused));

test("the server lives on", () => expectAnswer(server));
