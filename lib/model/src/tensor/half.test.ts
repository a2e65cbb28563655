import { describe, expect, it } from "vitest";
import { floatToHalfBits, toFloat32, viewAs } from "./half.ts";

describe("viewAs", () => {
  it.each([Buffer.from([9, 1, 0, 2, 0]), Uint8Array.of(9, 1, 0, 2, 0)])(
    "reads bytes that start at an odd address",
    (bytes) => {
      expect([...viewAs(Uint16Array, bytes.subarray(1))]).toEqual([1, 2]);
    },
  );
});

const isNaNHalf = (bits: number) => (bits & 0x7fff) > 0x7c00;

describe("half precision", () => {
  it("is exact both ways for all 65536 values", () => {
    const halves = Uint16Array.from({ length: 65536 }, (_, bits) => bits);
    const floats = toFloat32(new Uint8Array(halves.buffer), "float16");
    const changed = [...halves].filter(
      (bits) => !isNaNHalf(bits) && floatToHalfBits(floats[bits]!) !== bits,
    );
    expect(changed).toEqual([]);
    expect([...halves].filter((bits) => isNaNHalf(bits) !== Number.isNaN(floats[bits]))).toEqual(
      [],
    );
  });
});
