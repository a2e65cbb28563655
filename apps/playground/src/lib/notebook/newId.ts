/** 8 hex digits. Not `randomUUID`: browsers have that on https and localhost only. */
export const newId = (): string =>
  [...crypto.getRandomValues(new Uint8Array(4))]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
