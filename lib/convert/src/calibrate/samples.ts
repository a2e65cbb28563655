/** What graphs are run on for calibration. */
import { clipMean, clipStd } from "@tinygptv/model";
import type { PhiConfig, VisionConfig } from "@tinygptv/model";
import type { Sample } from "./walk.ts";

/** What a model is calibrated with, ready for its graphs. */
export interface CalibrationSet {
  /** pixelValues, [3,size,size] each */
  readonly pictures: readonly Float32Array[];
  /** Prompts and answers as the language model takes them, picture features among them; [positions, width] each. */
  readonly prompts: readonly Float32Array[];
}

export function visionSample(pixelValues: Float32Array, { imageSize }: VisionConfig): Sample {
  return {
    pixel_values: { dtype: "float32", shape: [1, 3, imageSize, imageSize], data: pixelValues },
  };
}

/** Positions of even spread, each another: enough to show which channels of a language model stand out, whatever it is told. */
export function probePrompts({ width }: PhiConfig): Float32Array[] {
  const positions = 32;
  return [1, 2].map((turn) =>
    Float32Array.from({ length: positions * width }, (_, i) => Math.sin(turn * i * i) / 8),
  );
}

/** Colour waves of several widths, smooth and hard-edged: enough to show which channels of an encoder stand out. */
export function probePictures({ imageSize }: VisionConfig): Float32Array[] {
  return [
    { waves: 1.5, hard: false },
    { waves: 6, hard: true },
    { waves: 20, hard: false },
  ].map(({ waves, hard }) => {
    const pixels = new Float32Array(3 * imageSize * imageSize);
    for (let channel = 0; channel < 3; channel++)
      for (let y = 0; y < imageSize; y++)
        for (let x = 0; x < imageSize; x++) {
          const turn = (waves * (x + (channel + 1) * y)) / imageSize;
          const wave = Math.sin(2 * Math.PI * turn + channel);
          const level = hard ? Number(wave > 0) : (wave + 1) / 2;
          pixels[(channel * imageSize + y) * imageSize + x] =
            (level - clipMean[channel]!) / clipStd[channel]!;
        }
    return pixels;
  });
}
