import { describe, expect, test } from "vitest";
import { imageObjectSchema } from "@tinygptv/protocol/http";
import { createFakeEngine } from "../testing/fakeEngine.ts";
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

describe("keys", () => {
  const keys = ["first-key", "second-key"];
  const ask = (app: ReturnType<typeof testApp>, method: string, path: string, key: string) =>
    app.app.request(path, {
      method,
      headers: { authorization: `Bearer ${key}`, "content-type": "image/png" },
      ...(method === "POST" ? { body: redPixel } : {}),
    });

  test("a picture is its key's own: others do not learn of it, see it, use it or delete it", async () => {
    const app = testApp({ config: { keys } });
    const { id } = imageObjectSchema.parse(
      await (await ask(app, "POST", "/v1/images", "first-key")).json(),
    );
    for (const method of ["GET", "DELETE"]) {
      const response = await ask(app, method, `/v1/images/${id}`, "second-key");
      expect(response.status).toBe(404);
    }
    const content = [{ type: "image_url", image_url: { url: id } }];
    const body = { messages: [{ role: "user", content }] };
    const used = await app.post("/v1/chat/completions", body, {
      authorization: "Bearer second-key",
    });
    expect(used.status).toBe(404);
    expect((await ask(app, "POST", "/v1/images", "second-key")).status).toBe(201);
    expect((await ask(app, "DELETE", `/v1/images/${id}`, "second-key")).status).toBe(200);
    expect((await ask(app, "GET", `/v1/images/${id}`, "first-key")).status).toBe(200);
  });

  test("all share what is kept where that is set", async () => {
    const app = testApp({ config: { keys, shareStore: true } });
    const { id } = imageObjectSchema.parse(
      await (await ask(app, "POST", "/v1/images", "first-key")).json(),
    );
    expect((await ask(app, "POST", "/v1/images", "second-key")).status).toBe(200);
    expect((await ask(app, "DELETE", `/v1/images/${id}`, "second-key")).status).toBe(200);
    expect((await ask(app, "GET", `/v1/images/${id}`, "first-key")).status).toBe(404);
  });

  test("a full store says so", async () => {
    const { length } = redPixel;
    const app = testApp({ config: { limits: { storeBytesPerKey: length - 1 } } });
    const response = await upload(app);
    expect(response.status).toBe(507);
    expect(await response.json()).toMatchObject({ error: { code: "storage_full" } });
  });
});

describe("a request's pictures", () => {
  const asking = (...urls: string[]) => ({
    messages: [
      { role: "user", content: urls.map((url) => ({ type: "image_url", image_url: { url } })) },
    ],
  });
  const path = "/v1/chat/completions";

  test("are loaded once each, however often it names them", async () => {
    const asked: string[] = [];
    const fetchPicture = async (url: string) => {
      asked.push(url);
      return redPixel;
    };
    const app = testApp({ fetchPicture });
    const { id } = imageObjectSchema.parse(await (await upload(app)).json());
    const data = dataUrl(redPixel);
    const web = "https://a.example/b.png";
    const response = await app.post(path, asking(web, id, web, data, id, data, web));
    expect(response.status).toBe(200);
    expect(asked).toEqual([web]);
    const { images } = app.engine.requests.at(-1)!;
    expect(images).toHaveLength(7);
    expect(new Set(images).size).toBe(3);
  });

  test("have a bound together, each counted once", async () => {
    const other = Uint8Array.of(...redPixel, 0);
    const limits = { imageBytesPerRequest: redPixel.length + other.length - 1 };
    const { post } = testApp({ config: { limits } });
    expect((await post(path, asking(...Array(5).fill(dataUrl(redPixel))))).status).toBe(200);
    const response = await post(path, asking(dataUrl(redPixel), dataUrl(other)));
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ error: { code: "image_too_large" } });
  });

  test("wait for room among those of other requests, and who finds the line full is told", async () => {
    let loading = 0;
    const { promise: go, resolve } = Promise.withResolvers<void>();
    const fetchPicture = async () => {
      loading += 1;
      await go;
      return redPixel;
    };
    const limits = { imageBytes: 1000, bytesInFlight: 2000, preparing: 4 };
    const app = testApp({ fetchPicture, config: { limits } });
    const answers = Array.from({ length: 6 }, (_, i) =>
      app.post(path, asking(`https://a.example/${i}.png`)),
    );
    await expect.poll(() => loading).toBe(2);
    const refused = await Promise.all(answers.slice(4));
    expect(refused.map(({ status }) => status)).toEqual([503, 503]);
    expect(await refused[0]!.json()).toMatchObject({ error: { code: "queue_full" } });
    resolve();
    const answered = await Promise.all(answers.slice(0, 4));
    expect(answered.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  });

  test("that keep one key's requests from the engine keep no other key's", async () => {
    const { promise: go, resolve } = Promise.withResolvers<void>();
    const fetchPicture = async () => {
      await go;
      return redPixel;
    };
    const keys = ["first-key", "second-key"];
    const { post } = testApp({ fetchPicture, config: { keys, limits: { preparing: 2 } } });
    const ask = (key: string, body: object) => post(path, body, { authorization: `Bearer ${key}` });
    const slow = [0, 1].map((i) => ask("first-key", asking(`https://a.example/${i}.png`)));
    const hello = { messages: [{ role: "user", content: "hello" }] };
    const statusOf = async (key: string) => (await ask(key, hello)).status;
    await expect.poll(() => statusOf("first-key")).toBe(503);
    expect(await statusOf("second-key")).toBe(200);
    resolve();
    expect((await Promise.all(slow)).map(({ status }) => status)).toEqual([200, 200]);
  });

  test("are not looked at where the queue is full", async () => {
    let loading = 0;
    const fetchPicture = async () => ((loading += 1), redPixel);
    const engine = createFakeEngine({ places: 1, queueLimit: 1, tokenMs: 10 });
    const { post } = testApp({ engine, fetchPicture });
    const hello = { messages: [{ role: "user", content: "hello hello" }], stream: true };
    const running = await post(path, hello);
    const waiting = post(path, { ...hello, stream: false });
    await expect.poll(() => engine.status().queued).toBe(1);
    expect((await post(path, asking("https://a.example/a.png"))).status).toBe(503);
    expect(loading).toBe(0);
    await running.text();
    expect((await waiting).status).toBe(200);
  });
});
