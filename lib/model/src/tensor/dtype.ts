/** Element types that occur in checkpoints and ONNX graphs, with their size in bytes. */
export const bytesPerElement = {
  float64: 8,
  float32: 4,
  float16: 2,
  bfloat16: 2,
  int64: 8,
  int32: 4,
  int16: 2,
  int8: 1,
  uint8: 1,
  bool: 1,
} as const;

/** Type of a tensor's elements. */
export type DType = keyof typeof bytesPerElement;

/** Number of elements of a shape; 1 for a scalar's empty shape. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((count, size) => count * size, 1);
}

/** Bytes a dense tensor of this type and shape takes. */
export function byteLength(dtype: DType, shape: readonly number[]): number {
  return elementCount(shape) * bytesPerElement[dtype];
}
