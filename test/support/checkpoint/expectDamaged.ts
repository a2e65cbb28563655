import { expect } from "vitest";
import { TinyGptvError } from "../../../lib/protocol/src/errors.ts";

/** Expects a `checkpoint` error whose message has all of these parts. */
export async function expectDamaged(
  result: Promise<unknown>,
  ...parts: readonly string[]
): Promise<void> {
  const error = await result.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(TinyGptvError);
  const { code, message } = error as TinyGptvError;
  expect(code).toBe("checkpoint");
  for (const part of parts) expect(message).toContain(part);
}
