/** How two writes of one cell in one life are resolved, by the column's merge policy. */
import { unreachable } from "../base/assert.ts";
import { compareOrigins, type Origin } from "./origin.ts";
import type { MergePolicy } from "./schema.ts";
import { integerValue, type Value } from "./value.ts";
import { compareValues } from "./value-order.ts";

/**
 * True when the incoming write replaces the held one. Equal writes do not win, so that a
 * duplicate changes nothing.
 * - `lww`: the larger (stamp, actor).
 * - `max`, `min`: the larger or smaller value; NULL, which is no value yet, loses to any; among
 *   equal values the larger (stamp, actor), so that metadata agree as well.
 * - `counter`: what a life begins with is as `lww`; what is added stands beside it, see `Counter`.
 */
export function wins(
  policy: MergePolicy,
  value: Value,
  origin: Origin,
  heldValue: Value,
  heldOrigin: Origin,
): boolean {
  switch (policy) {
    case "lww":
    case "counter":
      return compareOrigins(origin, heldOrigin) > 0;
    case "max":
    case "min": {
      const order = extremeOrder(policy, value, heldValue);
      return order !== 0 ? order > 0 : compareOrigins(origin, heldOrigin) > 0;
    }
    default:
      return unreachable(policy);
  }
}

/** Above 0 when `value` lies further out than `held`. NULL lies further out than nothing. */
export function extremeOrder(policy: "max" | "min", value: Value, held: Value): number {
  if (value === null || held === null) return Number(value !== null) - Number(held !== null);
  const order = compareValues(value, held);
  return policy === "max" ? order : -order;
}

/** What one actor has added to a counter cell in this life of its row. */
export interface Tally {
  /** The version of the latest addition; it replaces older ones of the same actor. */
  origin: Origin;
  total: Value;
}

/** A counter cell: what the life began with (or the default) and what each actor has added. */
export interface Counter {
  base: Value;
  /** Sorted by actor. */
  readonly tallies: Tally[];
}

const minInt64 = -(2n ** 63n);
const maxInt64 = 2n ** 63n - 1n;

/** A counter holds INTEGERs alone. */
export function isCount(value: Value): value is number | bigint {
  return typeof value === "bigint" || (typeof value === "number" && Number.isInteger(value));
}

/** The value that a counter cell shows: the exact sum, kept inside 64 bits. */
export function counterValue(counter: Counter): Value {
  let sum = counter.base;
  let exact = true;
  for (const { total } of counter.tallies) {
    if (exact && typeof sum === "number" && typeof total === "number") {
      const next = sum + total;
      if (Number.isSafeInteger(next)) {
        sum = next;
        continue;
      }
    }
    exact = false;
    sum = BigInt(sum as number | bigint) + BigInt(total as number | bigint);
  }
  if (exact && typeof sum === "number") return sum;
  return integerValue(clamp(BigInt(sum as number | bigint)));
}

function clamp(n: bigint): bigint {
  if (n < minInt64) return minInt64;
  return n > maxInt64 ? maxInt64 : n;
}
