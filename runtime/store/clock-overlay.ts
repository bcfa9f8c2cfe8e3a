/**
 * Clocks of one table that are newer than its clock table. Most are never asked for before they are
 * folded: they are listed as they come, and a map of them is made when somebody asks. For what is
 * inserted that spares the dearest part of letting a clock wait.
 */
import type { ClockEntry, RowKey } from "./table-plan.ts";

export interface WaitingClock extends ClockEntry {
  readonly rowKey: RowKey;
}

export class ClockOverlay {
  #list: WaitingClock[] = [];
  /** The last clock of each row, of the first `#mapped` of the list. */
  readonly #byKey = new Map<RowKey, WaitingClock>();
  #mapped = 0;

  /** Clocks that wait, those included that a later one of the same row hides. */
  get size(): number {
    return this.#list.length;
  }

  put(clock: WaitingClock): void {
    this.#list.push(clock);
  }

  get(rowKey: RowKey): WaitingClock | undefined {
    for (; this.#mapped < this.#list.length; this.#mapped++) {
      const clock = this.#list[this.#mapped] as WaitingClock;
      this.#byKey.set(clock.rowKey, clock);
    }
    return this.#byKey.get(rowKey);
  }

  /** The last clock of each row, in the order of the keys, as the clock table has them: few of its pages change at a time. */
  inOrder(): WaitingClock[] {
    const sorted = isInOrder(this.#list) ? this.#list : this.#list.toSorted(byKey);
    return sorted.filter(({ rowKey }, i) => rowKey !== sorted[i + 1]?.rowKey);
  }

  clear(): void {
    this.#list = [];
    this.#byKey.clear();
    this.#mapped = 0;
  }
}

function isInOrder(clocks: readonly WaitingClock[]): boolean {
  for (let i = 1; i < clocks.length; i++) {
    if ((clocks[i] as WaitingClock).rowKey <= (clocks[i - 1] as WaitingClock).rowKey) return false;
  }
  return true;
}

/** Those of one row stay in the order in which they came. */
function byKey(left: WaitingClock, right: WaitingClock): number {
  return left.rowKey < right.rowKey ? -1 : left.rowKey > right.rowKey ? 1 : 0;
}
