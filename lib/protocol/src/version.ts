import manifest from "../package.json" with { type: "json" };

/** Version of these packages, which have one in common. */
export const version: string = manifest.version;
