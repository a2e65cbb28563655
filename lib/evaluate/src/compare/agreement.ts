/** How far a model's next-token distributions are from the reference's, over whole answers. */
import { argmax, logSumExp } from "tinygptv/parts";

export interface Agreement {
  /** KL(reference ‖ model) per token, in nats. */
  klDivergence: { mean: number; median: number; p99: number };
  /** Share of tokens whose likeliest next token is the reference's. */
  sameTop: number;
  /** Answers that greedy decoding would give to the last token alike. */
  equalAnswers: { count: number; of: number };
  /** Mean step of the first token that differs, over the answers that differ, from 0; null where none does. */
  firstDivergence: number | null;
  /** Of the reference's answers, under this model. */
  perplexity: number;
}

/** Collects one answer after the other, each token teacher-forced to be the reference's. */
export class AgreementCollector {
  readonly #divergences: number[] = [];
  readonly #firstDifferences: number[] = [];
  #sameTop = 0;
  #negativeLogLikelihood = 0;
  #answers = 0;
  #differs = false;

  startAnswer(): void {
    this.#answers++;
    this.#differs = false;
  }

  /**
   * @param reference log-probabilities of the reference
   * @param logits of the model, at the same place
   * @param token the reference's next token
   */
  add(reference: Float32Array, logits: Float32Array, token: number, step: number): void {
    const total = logSumExp(logits);
    let divergence = 0;
    for (let id = 0; id < logits.length; id++) {
      const logprob = reference[id]!;
      // Terms below e^-40 do not show in float64 sums.
      if (logprob > -40) divergence += Math.exp(logprob) * (logprob - logits[id]! + total);
    }
    // Rounding can leave equal distributions a hair below zero.
    this.#divergences.push(Math.max(0, divergence));
    this.#negativeLogLikelihood += total - logits[token]!;
    if (argmax(logits) === argmax(reference)) this.#sameTop++;
    else if (!this.#differs) {
      this.#differs = true;
      this.#firstDifferences.push(step);
    }
  }

  /** Whether greedy decoding leaves the reference's path in the answer at hand. */
  get differs(): boolean {
    return this.#differs;
  }

  finish(): Agreement {
    const sorted = this.#divergences.toSorted((a, b) => a - b);
    const count = sorted.length;
    const different = this.#firstDifferences;
    return {
      klDivergence: {
        mean: mean(sorted),
        median: quantile(sorted, 0.5),
        p99: quantile(sorted, 0.99),
      },
      sameTop: this.#sameTop / count,
      equalAnswers: { count: this.#answers - different.length, of: this.#answers },
      firstDivergence: different.length > 0 ? mean(different) : null,
      perplexity: Math.exp(this.#negativeLogLikelihood / count),
    };
  }
}

/** Cosine of the angle between two vectors. */
export function cosine(a: Float32Array, b: Float32Array): number {
  let [products, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    products += a[i]! * b[i]!;
    aa += a[i]! * a[i]!;
    bb += b[i]! * b[i]!;
  }
  return products / Math.sqrt(aa * bb);
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The nearest-rank quantile of ascending values. */
function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)]!;
}
