/** Works on up to `limit` items at once and yields the results in the order of the items. */
export async function* inOrder<Item, Result>(
  items: readonly Item[],
  limit: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result, void, undefined> {
  const started: Promise<Result>[] = [];
  let next = 0;
  const startOne = () => {
    const promise = work(items[next++]!);
    promise.catch(() => {}); // heard of when its turn comes
    started.push(promise);
  };
  while (next < items.length || started.length > 0) {
    while (next < items.length && started.length < limit) startOne();
    yield await started.shift()!;
  }
}
