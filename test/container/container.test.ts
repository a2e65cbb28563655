/** What is in deploy, as far as it can be checked without Docker and a cluster. */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { validate } from "dockerfile-utils";
import { Deployment } from "kubernetes-models/apps/v1";
import { HorizontalPodAutoscaler } from "kubernetes-models/autoscaling/v2";
import { Service } from "kubernetes-models/v1";
import { parse, parseAllDocuments } from "yaml";
import { describe, expect, it } from "vitest";
import { createMetrics } from "../../functions/inference/src/metrics.ts";
import { createFakeEngine } from "../../functions/inference/src/testing/fakeEngine.ts";
import { stagesOf, variablesOf } from "./dockerfile.ts";

const repository = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string) => readFile(join(repository, "deploy", path), "utf8");

describe("the Dockerfile", async () => {
  const text = await read("Dockerfile");
  const stages = stagesOf(text);
  const stage = (name: string) => stages.find((one) => one.name === name)!;
  /** All a stage inherits, the first instruction first. */
  const all = (name: string): { keyword: string; text: string }[] => {
    const found = stages.find((one) => one.name === name);
    return found === undefined ? [] : [...all(found.from), ...found.instructions];
  };
  const last = (name: string, keyword: string) =>
    all(name).findLast((one) => one.keyword === keyword)?.text;

  it("has no mistake that a linter knows", () => {
    expect(
      validate(text).map(({ message, range }) => `${range.start.line + 1}: ${message}`),
    ).toEqual([]);
  });

  it.each(["cpu", "nvidia"])(
    "%s runs as somebody, with a health check, and writes to a volume",
    (name) => {
      expect(last(name, "USER")).toBe("node");
      expect(last(name, "HEALTHCHECK")).toContain("/health");
      const volume = last(name, "VOLUME")!;
      const env = Object.assign(
        {},
        ...all(name).flatMap((one) => (one.keyword === "ENV" ? [variablesOf(one.text)] : [])),
      ) as Record<string, string>;
      for (const variable of ["TINYGPTV_STORE", "TINYGPTV_MODEL_CACHE"])
        expect(env[variable]).toMatch(new RegExp(`^${volume}/`));
    },
  );

  it("brings NVIDIA's driver what its Vulkan part needs", () => {
    const own = stage("nvidia").instructions;
    expect(own.find(({ keyword }) => keyword === "RUN")!.text).toMatch(/libvulkan1 .*libx11-6/);
    expect(own.find(({ keyword }) => keyword === "ENV")!.text).toMatch(/CAPABILITIES=\S*graphics/);
  });

  it("copies from the repository, and from stages, what is there", async () => {
    const copies = stages
      .flatMap(({ instructions }) => instructions)
      .flatMap(({ keyword, text: words }) => (keyword === "COPY" ? [words.split(/\s+/)] : []));
    const flags = copies.flat().filter((word) => word.startsWith("--"));
    for (const flag of flags) expect(stages.map(({ name }) => `--from=${name}`)).toContain(flag);
    const paths = copies.flatMap((words) =>
      words.filter((word) => !word.startsWith("--")).slice(0, -1),
    );
    // What a build makes is not there yet.
    const kept = paths.filter((path) => !/node_modules|\/build\/|\/converted/.test(path));
    for (const path of kept)
      await expect(stat(join(repository, path.replace("/src/", "")))).resolves.toBeDefined();
  });
});

it("the compose file builds stages that there are, with a read-only root", async () => {
  interface Service {
    build: { dockerfile?: string; target: string };
    read_only?: boolean;
    volumes?: string[];
  }
  const { services, volumes } = parse(await read("compose.yaml")) as {
    services: Record<string, Service>;
    volumes: object;
  };
  const targets = stagesOf(await read("Dockerfile")).map(({ name }) => name);
  for (const { build } of Object.values(services)) expect(targets).toContain(build.target);
  const { build, read_only: isReadOnly, volumes: mounts } = services["tinygptv"]!;
  await stat(join(repository, build.dockerfile!));
  expect(isReadOnly).toBe(true);
  expect(mounts!.map((mount) => mount.split(":")[0])).toEqual(Object.keys(volumes));
});

describe("the Kubernetes manifests", async () => {
  const documents = parseAllDocuments(await read("kubernetes/tinygptv.yaml"), { uniqueKeys: true });
  const [deployment, service, autoscaler] = documents.map((one) => one.toJS() as object);

  it("are what Kubernetes' schemas want", () => {
    expect(documents.flatMap(({ errors }) => errors)).toEqual([]);
    new Deployment(deployment).validate();
    new Service(service).validate();
    new HorizontalPodAutoscaler(autoscaler as never).validate();
    // The schemas do refuse something.
    expect(() => new Deployment({ ...deployment, spec: {} } as never).validate()).toThrow(
      "selector",
    );
  });

  it("scale by a figure that the endpoint has, and ask paths that it answers", async () => {
    const text = JSON.stringify(documents.map((one) => one.toJS()));
    const metrics = [...text.matchAll(/"name":"(tinygptv_\w+)"/g)].map(([, name]) => name!);
    const figures = await createMetrics(createFakeEngine().status).text();
    expect(metrics).toHaveLength(1);
    for (const name of metrics) expect(figures).toContain(`# TYPE ${name} gauge`);
    const probes = [...text.matchAll(/"(\w+Probe)":\{"httpGet":\{"path":"([^"]+)"/g)];
    expect(probes.map(([, probe, path]) => [probe, path])).toEqual([
      ["startupProbe", "/ready"],
      ["readinessProbe", "/ready"],
      ["livenessProbe", "/health"],
    ]);
  });
});
