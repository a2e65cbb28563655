/** Bytes as base64, in pieces: a call takes only so many arguments. */
export function toBase64(bytes: Uint8Array): string {
  const piece = 0x8000;
  let binary = "";
  for (let i = 0; i < bytes.length; i += piece)
    binary += String.fromCharCode(...bytes.subarray(i, i + piece));
  return btoa(binary);
}

/** @throws DOMException where it is not base64 */
export const fromBase64 = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
