/** What a request's time goes into, in the order it is spent; together they are its total. */
export const timingParts = [
  {
    key: "queue",
    label: "Queue",
    colour: "var(--line-strong)",
    help: "waiting for a free place, and for the level to load where it was not in memory",
  },
  {
    key: "image",
    label: "Image",
    colour: "var(--series-2)",
    help: "decode, resize and encode the pictures",
  },
  {
    key: "prefill",
    label: "Prefill",
    colour: "var(--series-3)",
    help: "one pass over prompt and picture positions",
  },
  { key: "decode", label: "Decode", colour: "var(--series-1)", help: "one step a token" },
] as const;
