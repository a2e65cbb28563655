/** Callers there is room for when each has all that is his: what bounds the memory of all. */
const fullCallers = 4;

/** Places that callers share: so many for each, so that none can take the others' too, and four times as many in all. */
export interface Shares {
  has(caller: string): boolean;
  /** Takes a place; the returned function gives it back, once. */
  take(caller: string): () => void;
  /** How many are taken. */
  readonly taken: number;
}

export function createShares(ofCaller: number): Shares {
  const takenBy = new Map<string, number>();
  let taken = 0;
  const count = (caller: string, more: number) => {
    taken += more;
    const left = (takenBy.get(caller) ?? 0) + more;
    if (left === 0) takenBy.delete(caller);
    else takenBy.set(caller, left);
  };
  return {
    has: (caller) => (takenBy.get(caller) ?? 0) < ofCaller && taken < fullCallers * ofCaller,
    take(caller) {
      count(caller, 1);
      let isMine = true;
      return () => {
        if (isMine) count(caller, -1);
        isMine = false;
      };
    },
    get taken() {
      return taken;
    },
  };
}
