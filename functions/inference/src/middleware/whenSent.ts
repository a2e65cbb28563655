/**
 * Calls `done` once, when the response's last byte is out or nobody wants it
 * any more. An ordinary response counts as sent when it is handed over; only
 * event streams are followed.
 */
export function whenSent(response: Response, done: () => void): Response {
  const streams = response.headers.get("content-type")?.startsWith("text/event-stream");
  if (!streams || !response.body) {
    done();
    return response;
  }
  const reader = response.body.getReader();
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done: ended, value } = await reader.read();
        if (!ended) return controller.enqueue(value);
        controller.close();
        done();
      },
      cancel(reason) {
        done();
        return reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, response);
}
