/** One answer: its words, the boxes on their picture, how sure it was of each token, and how long it took. */
import { levelOf } from "@tinygptv/notebook";
import type { Answer, Run } from "@tinygptv/notebook";
import { milliseconds } from "#lib/components/answer/format.ts";
import { segmentsOf, seriesColour } from "#lib/components/answer/segments.ts";
import { percent, surprise, visible } from "#lib/components/answer/tokens.ts";
import { count, cutShort, inSentence } from "#lib/words.ts";
import { pictureNamed, type PageContext } from "./context.ts";
import { markup, type Markup } from "./markup.ts";

/** @param divergence index of the first token that differs from another answer */
export function answerOf(
  run: Run,
  answer: Answer,
  context: PageContext,
  divergence?: number,
): Markup {
  return markup`<div class="answer" dir="auto">${words(answer.text)}</div>
${others(answer)}${boxes(run, answer, context)}${heat(answer, divergence)}${timings(run, answer)}`;
}

/** Why a run gave no answer, or not all of it. */
export const problemOf = (run: Run): Markup | undefined =>
  run.error !== undefined
    ? markup`<p class="bad">${inSentence(run.error.message)}</p>`
    : run.state === "stopped"
      ? markup`<p class="small">Stopped; this is what had arrived.</p>`
      : undefined;

const words = (text: string): Markup[] =>
  segmentsOf(text).map((segment) =>
    segment.kind === "text"
      ? markup`${segment.text}`
      : markup`<b style="color:${seriesColour(segment.boxes[0] ?? 0)}">${segment.text}</b>`,
  );

/** What beam search kept beside the best. */
function others({ hypotheses }: Answer): Markup | undefined {
  const rest = hypotheses.slice(1);
  if (rest.length === 0) return undefined;
  return markup`<ol class="small" start="2">${rest.map(
    ({ text, score }) =>
      markup`<li dir="auto">${text}${score !== undefined && ` (score ${score.toFixed(3)})`}</li>`,
  )}</ol>`;
}

function boxes(run: Run, answer: Answer, context: PageContext): Markup[] {
  const images = [...new Set(answer.boxes.map((box) => box.image))];
  return images.map((image) => {
    const name = run.pictures[image];
    const source = pictureNamed(name, context);
    if (source === undefined) return markup``;
    const drawn = answer.boxes.map((box, index) => ({
      ...box,
      colour: seriesColour(index),
      index,
    }));
    const own = drawn.filter((box) => box.image === image);
    return markup`<div><div class="frame"><img src="${source}" alt="${name}"><svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">${own.map(
      ({ percent: [x1, y1, x2, y2], colour }) =>
        markup`<rect x="${x1}" y="${y1}" width="${Math.max(0, x2 - x1)}" height="${Math.max(0, y2 - y1)}" style="stroke:${colour}"/>`,
    )}</svg>${own.map(
      ({ percent: [left, top], phrase, index }) =>
        markup`<span dir="auto" style="left:${left}%;top:${top}%">${phrase || `box ${index + 1}`}</span>`,
    )}</div></div>`;
  });
}

function heat({ tokens }: Answer, divergence: number | undefined): Markup | undefined {
  if (!tokens.some((token) => token.logprob !== undefined)) return undefined;
  const spans = tokens.map(({ text, logprob }, index) => {
    const parted = divergence !== undefined && index >= divergence;
    const mark = parted && (index === divergence ? "parted first" : "parted");
    return markup`<span${mark && markup` class="${mark}"`} style="background:rgb(var(--heat)/${(0.75 * surprise(logprob)).toFixed(2)})" title="${percent(logprob)}">${visible(text)}</span>`;
  });
  return markup`<p class="tokens" dir="auto">${spans}</p>`;
}

const phases = ["queue", "image", "prefill", "decode"] as const;

function timings(run: Run, answer: Answer): Markup {
  const { usage, timings: took, tokens } = answer;
  const speed =
    took && took.decode > 0 && tokens.length > 1
      ? `${((1000 * (tokens.length - 1)) / took.decode).toFixed(1)} tokens/s`
      : undefined;
  const parts = [
    levelOf(run),
    usage && count(usage.completionTokens, "token"),
    took &&
      `${milliseconds(took.total)} (${phases.map((phase) => `${phase} ${milliseconds(took[phase])}`).join(", ")})`,
    speed,
    cutShort(answer),
  ].filter((part) => part !== undefined);
  return markup`<p class="small">${parts.join(" · ")}</p>`;
}
