/** Delta debugging (Zeller and Hildebrandt, IEEE TSE 2002): the smallest part of a list that still does it, by removing ever smaller pieces. */

/** `still` says whether a shorter list does it too; it may be asked any number of times. */
export function reduceList<T>(
  items: readonly T[],
  still: (fewer: readonly T[]) => boolean,
): readonly T[] {
  let kept = items;
  if (kept.length > 0 && still([])) return [];
  let pieces = 2;
  while (kept.length >= 2) {
    const size = Math.ceil(kept.length / pieces);
    let removed = false;
    for (let from = 0; from < kept.length; from += size) {
      const fewer = [...kept.slice(0, from), ...kept.slice(from + size)];
      if (fewer.length === 0 || !still(fewer)) continue;
      kept = fewer;
      pieces = Math.max(2, pieces - 1);
      removed = true;
      break;
    }
    if (removed) continue;
    if (size === 1) break;
    pieces = Math.min(kept.length, pieces * 2);
  }
  return kept;
}
