import { expect, test } from "vitest";
import { imageObjectSchema } from "@tinygptv/protocol/http";
import { dataUrl, redPixel } from "../testing/pictures.ts";
import { testApp } from "../testing/testApp.ts";

const upload = (
  app = testApp(),
  type = "image/png",
  body: string | Uint8Array<ArrayBuffer> = redPixel,
) => app.app.request("/v1/images", { method: "POST", headers: { "content-type": type }, body });

test("a picture is kept once, under the hash of its bytes", async () => {
  const app = testApp();
  const first = await upload(app);
  expect(first.status).toBe(201);
  const image = imageObjectSchema.parse(await first.json());
  expect(image).toMatchObject({ type: "image/png", bytes: redPixel.length, width: 1, height: 1 });
  const again = await upload(app, "application/octet-stream");
  expect(again.status).toBe(200);
  expect(await again.json()).toMatchObject({ id: image.id });

  const got = await app.app.request(`/v1/images/${image.id}`);
  expect(got.headers.get("content-type")).toBe("image/png");
  expect(new Uint8Array(await got.arrayBuffer())).toEqual(redPixel);
});

test("its id stands where a URL can, and hits the cache", async () => {
  const app = testApp();
  const { id } = imageObjectSchema.parse(await (await upload(app)).json());
  const content = [{ type: "image_url", image_url: { url: id } }];
  const response = await app.post("/v1/chat/completions", {
    messages: [{ role: "user", content }],
  });
  expect(await response.json()).toMatchObject({ usage: { images: [{ id, cached: true }] } });
});

test("a form with one file does as well", async () => {
  const form = new FormData();
  form.set("file", new File([redPixel], "red.png"));
  const response = await testApp().app.request("/v1/images", { method: "POST", body: form });
  expect(response.status).toBe(201);
});

test("a deleted picture is gone", async () => {
  const app = testApp();
  const { id } = imageObjectSchema.parse(await (await upload(app)).json());
  const remove = () => app.app.request(`/v1/images/${id}`, { method: "DELETE" });
  expect(await (await remove()).json()).toEqual({ id, object: "image", deleted: true });
  expect((await remove()).status).toBe(404);
  expect((await app.app.request(`/v1/images/${id}`)).status).toBe(404);
  const content = [{ type: "image_url", image_url: { url: id } }];
  const response = await app.post("/v1/chat/completions", {
    messages: [{ role: "user", content }],
  });
  expect(response.status).toBe(404);
  expect(await response.json()).toMatchObject({ error: { code: "image_not_found" } });
});

test("a file that is no picture, or is damaged, is not kept", async () => {
  const app = testApp();
  for (const bytes of ["<svg></svg>", dataUrl(redPixel), new Uint8Array(), redPixel.slice(0, 12)]) {
    const response = await upload(app, "image/png", bytes);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: "invalid_image" } });
  }
});

test("a picture over the limit is refused", async () => {
  const app = testApp({ config: { limits: { imageBytes: 50 } } });
  const response = await upload(app);
  expect(response.status).toBe(413);
  expect(await response.json()).toMatchObject({
    error: { code: "image_too_large", param: "file" },
  });
});
