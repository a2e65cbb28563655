/**
 * Pictures as the Q-Former leaves them. All before it is frozen and pictures are not
 * varied, so each is encoded once and kept on the disk: 98 KB at the published size.
 */
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { clipMean, clipStd, visionTokens, viewAs } from "@tinygptv/model";
import { asBytes } from "@tinygptv/network";
import { TinyGptvError } from "@tinygptv/protocol";
import { decodeImage, openParts, preprocess } from "tinygptv/parts";
import type { GraphOptions, ModelFiles } from "tinygptv/parts";
import { readPicture } from "./data/picture.ts";

/** Pictures as the mapping takes them. */
export interface Features {
  /** What the mapping takes of a picture, (Q,D). @throws TinyGptvError "image", "data" naming the picture */
  of(picture: string): Promise<Float32Array>;
  /** Frees the sessions that encode pictures. */
  close(): Promise<void>;
}

/** In memory at most, beside the disk. */
const heldBytes = 256 * 2 ** 20;

/**
 * Opens the picture side of a model when the first picture is new.
 * @param folder where features are kept, by what they are made of
 */
export async function openFeatures(
  model: ModelFiles,
  folder: string,
  options: GraphOptions,
): Promise<Features> {
  await mkdir(folder, { recursive: true });
  const { config } = model.manifest;
  const { numQueryTokens: Q, width: D } = config.qformer;
  const encoder = fingerprint(model);
  /** By path; the oldest go first. */
  const held = new Map<string, Float32Array>();
  let parts: Promise<VisionParts> | undefined;
  const open = () => (parts ??= openParts(model, ["vision", "qformer"], options));

  async function encode(picture: string, bytes: Uint8Array): Promise<Float32Array> {
    const { vision, qformer } = await open();
    const { imageSize, width } = config.vision;
    const image = await decodeImage(bytes).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      throw new TinyGptvError("image", `${picture}: ${reason}`, { subject: picture, cause: error });
    });
    const pixels = preprocess(image, { size: imageSize, mean: clipMean, std: clipStd });
    const tensor = (shape: number[], data: Float32Array) =>
      ({ dtype: "float32", shape: [1, ...shape], data }) as const;
    const seen = await vision.run({ pixel_values: tensor([3, imageSize, imageSize], pixels) }, [
      "vision_states",
    ]);
    const states = tensor([visionTokens(config.vision), width], seen.vision_states!);
    const { image_embeds: embeds } = await qformer.run({ vision_states: states }, ["image_embeds"]);
    return embeds!.slice();
  }

  async function load(picture: string): Promise<Float32Array> {
    const bytes = await readPicture(picture);
    const name = createHash("sha256").update(encoder).update(bytes).digest("hex");
    const path = join(folder, `${name}.f32`);
    const kept = await readFile(path).catch(() => undefined);
    if (kept?.byteLength === 4 * Q * D) return viewAs(Float32Array, kept);
    const embeds = await encode(picture, bytes);
    const scratch = `${path}.${process.pid}`;
    await writeFile(scratch, asBytes(embeds));
    await rename(scratch, path);
    return embeds;
  }

  return {
    async of(picture) {
      const known = held.get(picture);
      if (known) return known;
      const embeds = await load(picture);
      held.set(picture, embeds);
      if (held.size * embeds.byteLength > heldBytes) held.delete(held.keys().next().value!);
      return embeds;
    },
    async close() {
      await (await parts)?.close();
    },
  };
}

type VisionParts = Awaited<ReturnType<typeof openParts<"vision" | "qformer">>>;

/** Of the files that pictures go through. */
function fingerprint({ manifest, files }: ModelFiles): string {
  const { imageSize } = manifest.config.vision;
  const own = [files.vision, files.qformer].flatMap((path) => [path, `${path}.data`]);
  const hashes = manifest.files.filter(({ path }) => own.includes(path)).map((one) => one.sha256);
  return [imageSize, ...hashes].join();
}
