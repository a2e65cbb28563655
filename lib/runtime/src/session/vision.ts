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
  const { imageSize, width: visionWidth } = config.vision;
  const { numQueryTokens, width } = config.qformer;
  const shapes = {
    pixel_values: [1, 3, imageSize, imageSize],
    vision_states: [1, visionTokens(config.vision), visionWidth],
    image_embeds: [1, numQueryTokens, width],
  };
  const step = async (
    session: Session,
    input: keyof typeof shapes,
    output: string,
    data: Float32Array,
  ) => {
    const feeds = { [input]: { dtype: "float32" as const, shape: shapes[input], data } };
    return (await session.run(feeds, [output]))[output]!;
  };
  const visionStates = await step(sessions.vision, "pixel_values", "vision_states", pixelValues);
  const imageEmbeds = await step(sessions.qformer, "vision_states", "image_embeds", visionStates);
  return step(sessions.mapping, "image_embeds", "image_features", imageEmbeds);
}
