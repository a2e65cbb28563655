import { visionTokens } from "@tinygptv/model";
import type { ModelConfig } from "@tinygptv/model";
import type { Session } from "@tinygptv/graph/session";

/** Picture to language-model embeddings, in three graphs that can be quantized apart. */
export interface VisionSessions {
  vision: Session;
  qformer: Session;
  mapping: Session;
}

/** pixelValues (3,S,S) -> imageFeatures (Q,H), to be put among the token embeddings. */
export async function encodeImage(
  sessions: VisionSessions,
  pixelValues: Float32Array,
  config: ModelConfig,
): Promise<Float32Array> {
  return mapImage(sessions.mapping, await embedImage(sessions, pixelValues, config), config);
}

/** pixelValues (3,S,S) -> imageEmbeds (Q,D), as the Q-Former leaves a picture. */
export async function embedImage(
  { vision, qformer }: Pick<VisionSessions, "vision" | "qformer">,
  pixelValues: Float32Array,
  config: ModelConfig,
): Promise<Float32Array> {
  const { imageSize, width } = config.vision;
  const pixels = {
    dtype: "float32" as const,
    shape: [1, 3, imageSize, imageSize],
    data: pixelValues,
  };
  const { vision_states: data } = await vision.run({ pixel_values: pixels }, ["vision_states"]);
  const shape = [1, visionTokens(config.vision), width];
  const states = { dtype: "float32" as const, shape, data: data! };
  return (await qformer.run({ vision_states: states }, ["image_embeds"])).image_embeds!;
}

/** imageEmbeds (Q,D) -> imageFeatures (Q,H), of the language model's width. */
export async function mapImage(
  mapping: Session,
  imageEmbeds: Float32Array,
  { qformer: { numQueryTokens, width } }: ModelConfig,
): Promise<Float32Array> {
  const shape = [1, numQueryTokens, width];
  const embeds = { dtype: "float32" as const, shape, data: imageEmbeds };
  return (await mapping.run({ image_embeds: embeds }, ["image_features"])).image_features!;
}
