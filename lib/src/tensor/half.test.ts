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

describe("half precision", () => {
  it("survives the way there and back for all 65536 values", () => {
    const halves = Uint16Array.from({ length: 65536 }, (_, bits) => bits);
    const floats = toFloat32(new Uint8Array(halves.buffer), "float16");
    floats.forEach((value, bits) => {
      if (Number.isNaN(value)) expect(floatToHalfBits(value) & 0x7fff).toBe(0x7e00);
      else if (floatToHalfBits(value) !== bits) expect.fail(`${bits} -> ${value}`);
    });
  });
});
