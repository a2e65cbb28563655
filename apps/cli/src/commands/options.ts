import { InvalidArgumentError } from "commander";

/** Reader of an option's value: a whole number of at least `min`. */
export function wholeNumber(min: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= min) return value;
    throw new InvalidArgumentError(`Want a whole number from ${min}, got ${text}.`);
  };
}

/** Reader of a list of quantization levels. */
export function levelList(text: string): string[] {
  const levels = text.split(",").map((name) => name.trim());
  if (levels.every(Boolean)) return levels;
  throw new InvalidArgumentError(`Want levels separated by commas, got ${text}.`);
}
