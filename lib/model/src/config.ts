import { z } from "zod";

const upTo = (most: number) => z.number().int().min(1).max(most);

/**
 * Every dimension a file may declare, with the most it can be: some times the
 * published model's (in brackets), so that what is allocated or repeated by a
 * number out of a file stays within what a machine can do.
 */
export const dimensions = {
  /** Side of a picture, in pixels (448). */
  imageSize: upTo(2048),
  /** Side of a patch (14). */
  patchSize: upTo(256),
  /** Of the hidden states of any part (2560). */
  width: upTo(16_384),
  /** Between the two layers of a feed-forward block (10,240). */
  mlpWidth: upTo(65_536),
  /** Layers or blocks of any part (39). */
  layers: upTo(256),
  /** Attention heads (32). */
  heads: upTo(256),
  /** Query tokens of the Q-Former (32). */
  queries: upTo(1024),
  /** Rows of the token embeddings (51,200). */
  vocabulary: upTo(1_048_576),
  /** Positions (2048). */
  context: upTo(131_072),
};

/** Tokens of the vision transformer (1025): attention takes memory by their square. */
const maxVisionTokens = 8192;

/** What normalisation layers add to a variance. */
export const epsilon = z.number().positive().max(0.1);

/** Constants of CLIP's preprocessing, which the reference uses for every stage. */
export const clipMean = [0.48145466, 0.4578275, 0.40821073] as const;
/** The divisors that belong to `clipMean`: one for each of red, green and blue. */
export const clipStd = [0.26862954, 0.26130258, 0.27577711] as const;

const visionSchema = z
  .strictObject({
    /** Side of the square input picture, in pixels. */
    imageSize: dimensions.imageSize,
    patchSize: dimensions.patchSize,
    width: dimensions.width,
    /** Blocks that are run; the published file holds one more. */
    depth: dimensions.layers,
    numHeads: dimensions.heads,
    mlpWidth: dimensions.mlpWidth,
    normEps: epsilon,
    /** Epsilon of `ln_vision`, the LayerNorm between the vision transformer and the Q-Former. */
    finalNormEps: epsilon,
  })
  .superRefine((vision, context) => {
    const { imageSize, patchSize } = vision;
    const tokens = visionTokens(vision);
    if (!Number.isInteger(tokens))
      context.addIssue({
        code: "custom",
        path: ["imageSize"],
        message: `want a multiple of ${patchSize}, the patch size, got ${imageSize}`,
      });
    else if (tokens > maxVisionTokens)
      context.addIssue({
        code: "custom",
        path: ["imageSize"],
        message: `want at most ${maxVisionTokens} patches, got ${tokens - 1}`,
      });
  });

const qformerSchema = z.strictObject({
  width: dimensions.width,
  numLayers: dimensions.layers,
  numHeads: dimensions.heads,
  mlpWidth: dimensions.mlpWidth,
  /** Every how many layers there is a cross-attention, counted from layer 0. */
  crossAttentionFrequency: dimensions.layers,
  numQueryTokens: dimensions.queries,
  layerNormEps: epsilon,
});

const phiSchema = z.strictObject({
  width: dimensions.width,
  numLayers: dimensions.layers,
  numHeads: dimensions.heads,
  headDim: dimensions.width,
  /** Leading entries of each head that are rotated. */
  rotaryDim: dimensions.width,
  ropeTheta: z.number().positive(),
  mlpWidth: dimensions.mlpWidth,
  vocabSize: dimensions.vocabulary,
  layerNormEps: epsilon,
  /** Epsilon of the RMS norm after attention. */
  postNormEps: epsilon,
  contextLength: dimensions.context,
});

/** All dimensions and constants of one TinyGPT-V; part of every manifest. */
export const modelConfigSchema = z.strictObject({
  vision: visionSchema,
  qformer: qformerSchema,
  /** Width between the two linear maps. */
  mapping: z.strictObject({ width: dimensions.width }),
  phi: phiSchema,
  tokens: z.strictObject({
    /** Begin, end and unknown token of the tokenizer (`<|endoftext|>`). */
    endOfText: z.number().int().nonnegative(),
    /** The token `###` that ends an answer. */
    stop: z.number().int().nonnegative(),
  }),
});

/** Dimensions of the vision transformer. */
export type VisionConfig = z.infer<typeof visionSchema>;
/** Dimensions of the Q-Former. */
export type QformerConfig = z.infer<typeof qformerSchema>;
/** Dimensions of the language model. */
export type PhiConfig = z.infer<typeof phiSchema>;
/** All dimensions of a model. */
export type ModelConfig = z.infer<typeof modelConfigSchema>;

/** Tokens of the vision transformer: the class token and the patches. */
export function visionTokens({
  imageSize,
  patchSize,
}: Pick<VisionConfig, "imageSize" | "patchSize">): number {
  return (imageSize / patchSize) ** 2 + 1;
}
