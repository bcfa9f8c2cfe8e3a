/**
 * Arrays with room for what is known to come and no more: one that grows by `push` begins with room
 * for seventeen, and setting a length is a call out of compiled code. Most lists in the protocol
 * have one or two items.
 */

/** `count` times `filler`, for the caller to replace. The count is bounded by the caller. */
export function roomFor<T>(count: number, filler: T): T[] {
  switch (count) {
    case 0:
      return [];
    case 1:
      return [filler];
    case 2:
      return [filler, filler];
    case 3:
      return [filler, filler, filler];
    case 4:
      return [filler, filler, filler, filler];
    default: {
      const items: T[] = [filler, filler, filler, filler];
      while (items.length < count) items.push(filler);
      return items;
    }
  }
}

/** Takes all items out and leaves the room to those to come. */
export function emptyList(items: unknown[]): void {
  while (items.length > 0) items.pop();
}
