import onnxProto from "onnx-proto";
import type { DType } from "@tinygptv/model";
import { TinyGptvError } from "@tinygptv/protocol";

const { DataType } = onnxProto.onnx.TensorProto;

/** Our element types and ONNX's numbers for them. */
export const dataTypes = {
  float64: DataType.DOUBLE,
  float32: DataType.FLOAT,
  float16: DataType.FLOAT16,
  bfloat16: DataType.BFLOAT16,
  int64: DataType.INT64,
  int32: DataType.INT32,
  int16: DataType.INT16,
  int8: DataType.INT8,
  uint8: DataType.UINT8,
  bool: DataType.BOOL,
} satisfies Record<DType, number>;

export function dtypeOf(dataType: number): DType {
  const entry = Object.entries(dataTypes).find(([, number]) => number === dataType);
  if (!entry)
    throw new TinyGptvError("model", `onnx: element type ${dataType} is not one we write`);
  return entry[0] as DType;
}
