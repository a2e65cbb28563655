/** What a `cache-control` header of a request or response asks of a cache (RFC 9111). */
export interface CacheControl {
  noStore: boolean;
  /** A kept answer must not be given without asking the origin. */
  noCache: boolean;
  private: boolean;
  /** Seconds; of `s-maxage` and `max-age` the one meant for shared caches. */
  maxAge: number | undefined;
}

export function parseCacheControl(header: string | null | undefined): CacheControl {
  const directives = new Map(
    (header ?? "").split(",").map((directive) => {
      const [name = "", value = ""] = directive.trim().toLowerCase().split("=");
      return [name, value.replaceAll('"', "")] as const;
    }),
  );
  const age = directives.get("s-maxage") ?? directives.get("max-age");
  const seconds = Number(age);
  return {
    noStore: directives.has("no-store"),
    noCache: directives.has("no-cache"),
    private: directives.has("private"),
    maxAge: age === undefined ? undefined : Number.isInteger(seconds) && seconds > 0 ? seconds : 0,
  };
}
