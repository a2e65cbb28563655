/**
 * Token buckets: a bucket holds up to `burst` tokens and gains
 * `requestsPerMinute` of them a minute; a request takes one.
 */
export interface Limit {
  requestsPerMinute: number;
  burst: number;
}

export interface Bucket {
  tokens: number;
  /** When they were counted, in milliseconds. */
  at: number;
}

export interface Taken {
  allowed: boolean;
  bucket: Bucket;
  /** Whole tokens left. */
  remaining: number;
  /** Seconds until there is a token, 0 where there is one. */
  retryAfter: number;
  /** Seconds until the bucket is full. */
  reset: number;
}

const perMillisecond = ({ requestsPerMinute }: Limit) => requestsPerMinute / 60_000;

/** Tokens in a bucket by now; one never seen before is full. */
export function tokensAt(bucket: Bucket | undefined, limit: Limit, now: number): number {
  if (!bucket) return limit.burst;
  const gained = Math.max(0, now - bucket.at) * perMillisecond(limit);
  return Math.min(limit.burst, bucket.tokens + gained);
}

/** Takes a token if there is one. */
export function take(before: Bucket | undefined, limit: Limit, now: number): Taken {
  const found = tokensAt(before, limit, now);
  const allowed = found >= 1;
  const tokens = allowed ? found - 1 : found;
  const secondsUntil = (wanted: number) =>
    Math.ceil(Math.max(0, wanted - tokens) / perMillisecond(limit) / 1000);
  return {
    allowed,
    bucket: { tokens, at: now },
    remaining: Math.floor(tokens),
    retryAfter: secondsUntil(1),
    reset: secondsUntil(limit.burst),
  };
}
