/** Spaces and line ends made visible where a token is nothing else. */
export const visible = (text: string): string =>
  text.trim() === "" ? text.replaceAll(" ", "␣").replaceAll("\n", "↵\n") || "∅" : text;

export function percent(logprob: number | undefined): string {
  if (logprob === undefined) return "";
  const share = 100 * Math.exp(logprob);
  return share >= 99.95 ? "100%" : share < 0.1 ? "<0.1%" : `${share.toFixed(1)}%`;
}

/** 0 for a certain token, 1 for one of probability e⁻⁴ (1.8%) or less. */
export const surprise = (logprob: number | undefined): number =>
  logprob === undefined ? 0 : Math.min(1, -logprob / 4);

/** For lists, where ` dog` and `dog` must not look the same. */
export const spelled = (text: string): string => visible(text).replace(/^ /, "␣");
