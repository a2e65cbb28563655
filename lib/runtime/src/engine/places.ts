/**
 * Places in units (rows of a forward pass), and who may have one now: in turns
 * of clients. A client who has none does not wait for those who have them all:
 * he is let in beyond the number there is, as often as there are places. Bytes,
 * where claims have any, are not lent beyond what there is.
 */
import { createTurns } from "./turns.ts";

export interface Claim {
  readonly client: string;
  /** Units it takes; one that takes more than there are runs alone. */
  readonly units: number;
  /** Memory that it may come to take; at most all there is. */
  readonly bytes?: number;
}

export interface Places<T extends Claim> {
  /** Puts a claim in the line. */
  add(claim: T): void;
  /** Takes out of the line all that have a place now, and counts them as inside. */
  admit(): T[];
  /** Gives up a claim, in the line or inside. */
  remove(claim: T): void;
  readonly inside: ReadonlySet<T>;
  /** Memory that those inside may come to take. */
  reserved(): number;
  /** How many wait, of one client or of all. */
  waiting(client?: string): number;
}

export function createPlaces<T extends Claim>(units: number, bytes = Infinity): Places<T> {
  const line = createTurns<T>();
  const inside = new Set<T>();

  const used = () => [...inside].reduce((sum, claim) => sum + claim.units, 0);
  const reserved = () => [...inside].reduce((sum, claim) => sum + (claim.bytes ?? 0), 0);
  const has = (client: string) => [...inside].some((claim) => claim.client === client);

  function fits(claim: T): boolean {
    if (inside.size === 0) return true;
    if (reserved() + (claim.bytes ?? 0) > bytes) return false;
    const room = has(claim.client) ? units : 2 * units;
    return used() + claim.units <= room;
  }

  return {
    add: (claim) => line.add(claim.client, claim),
    admit() {
      const admitted: T[] = [];
      // Whose turn it is and does not fit keeps it; clients with nothing inside pass by.
      for (let next = line.peek(); next && fits(next); next = line.peek()) enter(line.take()!);
      for (const next of line.heads()) {
        if (has(next.client)) continue;
        if (!fits(next)) break; // nobody overtakes one who has nothing yet
        line.remove(next);
        enter(next);
      }
      return admitted;

      function enter(claim: T): void {
        inside.add(claim);
        admitted.push(claim);
      }
    },
    remove(claim) {
      inside.delete(claim);
      line.remove(claim);
    },
    inside,
    reserved,
    waiting: line.count,
  };
}
