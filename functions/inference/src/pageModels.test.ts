import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { readManifest } from "@tinygptv/model/disk";
import { afterAll, expect, it } from "vitest";
import { pageModels } from "./pageModels.ts";

const nano = fileURLToPath(new URL("../../../models/nano/converted", import.meta.url));
const server = createServer(await pageModels([nano]));
await once(server.listen(0, "127.0.0.1"), "listening");
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/models/`;
afterAll(() => void server.close());

it("are listed by name, and their files come whole or from an offset on", async () => {
  expect(await (await fetch(`${url}index.json`)).json()).toEqual(["nano"]);
  const { files } = await readManifest(nano);
  const manifest = await fetch(`${url}nano/manifest.json?again`);
  expect(await manifest.json()).toMatchObject({ name: "nano", files });
  const { path, bytes } = files.find((file) => file.path.endsWith(".data"))!;
  const whole = Buffer.from(await (await fetch(`${url}nano/${path}`)).arrayBuffer());
  expect(whole).toHaveLength(bytes);
  const rest = await fetch(`${url}nano/${path}`, { headers: { range: "bytes=100-" } });
  expect(rest.status).toBe(206);
  expect(whole.subarray(100).equals(Buffer.from(await rest.arrayBuffer()))).toBe(true);
});

it.each([
  "",
  "other/manifest.json",
  "nano/",
  "nano/phi",
  "nano/..%2fmodel-card.md",
  "nano/%2e%2e%2fcheckpoint%2fconfig.json",
  "nano/%ff",
  "nano/.prepacked/phi.onnx",
])("have nothing else: %s", async (path) => {
  expect((await fetch(url + path)).status).toBe(404);
});
