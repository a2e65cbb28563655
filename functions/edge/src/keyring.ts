import type { KeyConfig } from "./config.ts";

/** Whose key a token is; undefined for nobody's. */
export type Keyring = (token: string) => Promise<KeyConfig | undefined>;

async function digest(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}

/** How many bits differ, in a time that does not depend on where. */
function difference(a: Uint8Array, b: Uint8Array): number {
  return a.reduce((sum, byte, index) => sum | (byte ^ b[index]!), 0);
}

/**
 * Finds keys in constant time: digests of equal length are compared, all of
 * them, to the end, so that an answer's time says nothing about any key.
 */
export function createKeyring(keys: readonly KeyConfig[]): Keyring {
  const digests = Promise.all(keys.map(({ key }) => digest(key)));
  return async (token) => {
    const given = await digest(token);
    let found: KeyConfig | undefined;
    for (const [index, known] of (await digests).entries())
      if (difference(known, given) === 0) found = keys[index];
    return found;
  };
}
