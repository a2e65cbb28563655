import { copyFile, mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { runCli, temporaryFolder } from "../testing/runCli.ts";

const folder = temporaryFolder();
const micro = "test/fixtures/micro-stage4";

it("trains by a file, goes on where it was, and what comes of it is merged into a new model", async () => {
  const model = folder.path("model");
  await runCli(["convert", "--from", micro, "--out", model, "--name", "micro"]);
  const data = folder.path("own");
  await mkdir(data);
  await copyFile("test/fixtures/preprocess/photo.jpg", `${data}/photo.jpg`);
  const row = { image: "photo.jpg", prompt: "What is it?", answer: "A dog." };
  await writeFile(`${data}/train.jsonl`, JSON.stringify(row));
  await writeFile(`${data}/valid.jsonl`, JSON.stringify(row));
  const out = folder.path("run");
  const file = folder.path("run.yaml");
  const settings = { model, data: [{ path: data }], steps: 2, rate: 1e-3, out };
  await writeFile(file, JSON.stringify(settings));

  const cost = await runCli(["train", file, "--check"]);
  expect(cost.stderr).toBe("");
  expect(cost.stdout).toMatch(/^2 steps, [\d.]+ million trained numbers: [\d.]+ s a step, /);
  const first = await runCli(["train", file]);
  expect(first.stderr).toMatch(/^2 steps, [\d.]+ million trained numbers\n/);
  expect(first.stdout).toMatch(/^step 0: own: loss [\d.]+, 0 of 1 answers right\nstep 2: own: /);
  expect(await readdir(out)).toEqual(
    expect.arrayContaining(["adapter", "log.txt", "metrics.jsonl"]),
  );

  const again = await runCli(["train", file]);
  expect(again).toMatchObject({ end: 2, stdout: "" });
  expect(again.stderr).toContain("to go on with the one in it (resume), got one at step 2");
  const more = await runCli(["train", file, "--set", "resume=true", "--set", "steps=3", "--json"]);
  const events = more.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as object);
  expect(events[0]).toMatchObject({ type: "ready", from: 2, steps: 3 });
  expect(events.at(-1)).toMatchObject({ type: "done", steps: 3, adapter: `${out}/adapter` });

  const merged = folder.path("merged");
  const args = ["merge", model, `${out}/adapter`, "--out", merged, "--name", "greetings", "--json"];
  expect(JSON.parse((await runCli(args)).stdout)).toMatchObject({
    name: "greetings",
    levels: ["fp32"],
  });
  const manifest = JSON.parse(await readFile(`${merged}/manifest.json`, "utf8")) as {
    name: string;
  };
  expect(manifest.name).toBe("greetings");

  const beside = ["adapter", model, `${out}/adapter`, "--name", "tuned", "--json"];
  const added = JSON.parse((await runCli(beside)).stdout) as object;
  expect(added).toMatchObject({ id: "micro+tuned", name: "tuned", rank: 64 });
  expect(await runCli(beside)).toMatchObject({ end: 1 });
  const ask = async (which: string) => {
    const question = ["--prompt", "What is it?", "--max-new-tokens", "8", "--json"];
    const asked = await runCli(["ask", which, `${data}/photo.jpg`, question]);
    return { ...(JSON.parse(asked.stdout) as { text: string }), said: asked.stderr };
  };
  const answer = await ask(`${model}+tuned`);
  expect(answer.said).toContain("micro:fp32+tuned has fixture weights");
  expect(answer.text).toBe((await ask(merged)).text);

  const unknown = await runCli(["ask", `${model}+other`, "--prompt", "x"]);
  expect(unknown).toMatchObject({ end: 1, stdout: "" });
  expect(unknown.stderr).toContain("adapter: want one of tuned, got other");
  expect((await runCli(["models", model])).stdout).toMatch(/\+tuned +[\d.]+ [kM]B +adapter/);
  const talk = await runCli(["chat", `${model}+tuned`, "--json"], ({ stdin }) =>
    stdin!.end("Hi\n"),
  );
  expect(talk.stderr).toContain("micro:fp32+tuned has fixture weights");
  expect(JSON.parse(talk.stdout)).toHaveProperty("text");
  const removed = await runCli(["models", "remove", `${model}+tuned`, "--yes"]);
  expect(removed.stderr).toMatch(/\+tuned: removed, /);
  expect(await runCli(["ask", `${model}+tuned`, "--prompt", "x"])).toMatchObject({ end: 1 });
});

it("puts a stage file beside a model, whose LoRA's alpha has to be said", async () => {
  const model = folder.path("model");
  const stage = `${micro}/TinyGPT-V_for_Stage4.pth`;
  const add = ["adapter", model, stage, "--name", "stage4"];
  const unknown = await runCli(add);
  expect(unknown).toMatchObject({ end: 2 });
  expect(unknown.stderr).toContain("alpha: want that of the LoRA in");
  expect(await runCli([...add, "--alpha", "16"])).toMatchObject({ end: 0 });
});

it("goes on from published files, and gives a stage file like theirs", async () => {
  const model = folder.path("model");
  const out = folder.path("stage");
  const file = folder.path("stage.yaml");
  const data = [{ path: folder.path("own") }];
  const settings = { model, checkpoint: micro, data, steps: 1, rate: 1e-3, out };
  await writeFile(file, JSON.stringify(settings));
  const other = await runCli(["train", file, "--set", "lora.rank=3"]);
  expect(other.stderr).toMatch(/^error: lora\.rank: want 4, that of the files which training goes/);
  const { stdout } = await runCli(["train", file]);
  expect(stdout.trim().split("\n").at(-1)).toBe(`${out}/checkpoint_0.pth`);
  const converted = folder.path("again");
  const args = ["convert", "--from", micro, "--checkpoint", `${out}/checkpoint_0.pth`];
  expect(await runCli([...args, "--out", converted])).toMatchObject({ end: 0 });
});

it("names what is wrong with a file of a run, and with data", async () => {
  const file = folder.path("wrong.yaml");
  await writeFile(file, "model: m\nout: o\nsteps: 1\nrate: 1\ndata: [{path: nowhere.jsonl}]\n");
  const unknown = await runCli(["train", file, "--set", "lora.rnk=3"]);
  expect(unknown).toMatchObject({ end: 2, stdout: "" });
  expect(unknown.stderr).toContain("lora.rnk: want one of rank, alpha, dropout, got 3");
  const half = await runCli(["train", file, "--precision", "float16"]);
  expect(half).toMatchObject({ end: 2, stdout: "" });
  expect(half.stderr).toContain("unknown option '--precision'");
});
