/** What may be odd about one request and its answer on a connection. */
import type { IncomingMessage, ServerResponse } from "node:http";

/** Methods whose bodies somebody reads. */
const withBody = new Set(["POST", "PUT", "PATCH"]);
/** Milliseconds for the rest of a body that nobody reads where there should be none, or it had its time. */
const strayBodyMs = 1000;

/**
 * An answer can be out before the request's body is in: a refusal. Cutting the
 * connection then would reset it under a client that is still sending, before
 * it has read the answer; so the rest is taken in and dropped, for as long as
 * the body could have taken.
 */
export function dropRest(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  bodyMs: number,
): void {
  const { socket } = incoming;
  // Node ends a connection that is to be closed with the answer: here it is when the body is in.
  outgoing.once("prefinish", () => {
    if (incoming.complete || Reflect.get(outgoing, "_last") !== true) return;
    Reflect.set(outgoing, "_last", false);
    incoming.once("end", () => socket.end());
  });
  outgoing.once("finish", () => {
    if (incoming.complete) return;
    // Whoever began to read it gathers no more.
    incoming.removeAllListeners("data").resume();
    const mayCome = withBody.has(incoming.method ?? "") && outgoing.statusCode !== 408;
    const ms = mayCome ? bodyMs : strayBodyMs;
    const timer = setTimeout(() => socket.destroy(), ms);
    incoming.once("end", () => clearTimeout(timer)).once("close", () => clearTimeout(timer));
  });
}

/** Milliseconds between looks at a client that closed its half. */
const probeMs = 250;

/**
 * A client that has closed its half of the connection may be waiting for its
 * answer, or gone: TCP tells only when something is sent. Until the answer
 * begins, interim responses are (102: "I am at it"); whoever is gone resets the
 * connection at them, which cancels the work.
 */
export function probeHalfClosed({ socket }: IncomingMessage, outgoing: ServerResponse): void {
  const probe = () => {
    const timer = setInterval(() => {
      if (outgoing.headersSent || socket.destroyed) clearInterval(timer);
      else outgoing.writeProcessing();
    }, probeMs);
    outgoing.once("close", () => clearInterval(timer));
  };
  socket.once("end", probe);
  outgoing.once("close", () => socket.off("end", probe));
}
