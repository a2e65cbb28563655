/**
 * A line in which clients take turns: each client's own are served in order of
 * arrival, and who sends many waits behind himself, not before the others.
 */
export interface Turns<T> {
  add(client: string, item: T): void;
  /** The one whose turn it is, without taking it. */
  peek(): T | undefined;
  take(): T | undefined;
  /** The first of each client. */
  heads(): T[];
  remove(item: T): void;
  /** How many wait, of one client or of all. */
  count(client?: string): number;
}

export function createTurns<T>(): Turns<T> {
  /** By client, the one whose turn it is first. */
  const lines = new Map<string, T[]>();

  function put(client: string, line: T[]): void {
    lines.delete(client); // to the end
    if (line.length > 0) lines.set(client, line);
  }

  return {
    add(client, item) {
      const line = lines.get(client);
      if (line) line.push(item);
      else lines.set(client, [item]);
    },
    peek: () => lines.values().next().value?.[0],
    take() {
      const [entry] = lines;
      if (!entry) return undefined;
      const [client, [item, ...rest]] = entry;
      put(client, rest);
      return item;
    },
    heads: () => [...lines.values()].map(([first]) => first!),
    remove(item) {
      for (const [client, line] of lines) {
        const place = line.indexOf(item);
        if (place < 0) continue;
        line.splice(place, 1);
        if (line.length === 0) lines.delete(client);
      }
    },
    count(client) {
      if (client !== undefined) return lines.get(client)?.length ?? 0;
      return [...lines.values()].reduce((sum, line) => sum + line.length, 0);
    },
  };
}
