import type { Context } from "hono";
import { HttpError, toHttpError } from "./errors.ts";
import { whenSent } from "./middleware/whenSent.ts";
import type { AppEnv } from "./services.ts";
import { sseResponse } from "./sse.ts";
import type { SseEvent } from "./sse.ts";

/** The work for one request: it ends when the caller goes away or has waited too long. */
export interface Job {
  readonly signal: AbortSignal;
  cancel(): void;
  /** What the caller is told of an error: where it is an abort, who aborted. */
  explain(error: unknown): HttpError;
}

function startJob(c: Context<AppEnv>, ms: number): Job & { end(): void } {
  const stopped = new AbortController();
  const late = new HttpError("generation_timeout", `the answer was not finished within ${ms} ms`);
  const timer = setTimeout(() => stopped.abort(late), ms);
  const signal = AbortSignal.any([c.req.raw.signal, stopped.signal]);
  return {
    signal,
    end: () => clearTimeout(timer),
    cancel: () => stopped.abort(),
    explain: (error) => toHttpError(signal.reason === late ? late : error),
  };
}

/** Runs a handler as a job, up to the end of its response; whatever it throws cancels what is left of its work. */
export async function asJob(
  c: Context<AppEnv>,
  ms: number,
  handler: (job: Job) => Promise<Response>,
): Promise<Response> {
  const job = startJob(c, ms);
  try {
    return whenSent(await handler(job), job.end);
  } catch (error) {
    job.cancel();
    job.end();
    throw job.explain(error);
  }
}

/** Events of a job as a response; a failure in mid-stream arrives as the error object and ends it. */
export function streamJob(
  c: Context<AppEnv>,
  job: Job,
  events: AsyncIterator<SseEvent>,
): Promise<Response> {
  return sseResponse(events, {
    onCancel: job.cancel,
    onError(error) {
      job.cancel();
      const { body, code, cause } = job.explain(error);
      Object.assign(c.get("logFields"), { streamError: code, err: cause });
      return { data: JSON.stringify(body) };
    },
  });
}
