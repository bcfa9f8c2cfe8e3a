/**
 * A hybrid-logical-clock stamp (Kulkarni, Demirbas, Madappa, Avva, Leone, OPODIS 2014):
 * 48-bit milliseconds since 1970 and a 16-bit counter. All cells of one version share one stamp
 * object, so equality by reference is a fast path.
 */
export interface Hlc {
  readonly ms: number;
  readonly counter: number;
}

export function compareHlc(a: Hlc, b: Hlc): number {
  return a.ms !== b.ms ? a.ms - b.ms : a.counter - b.counter;
}

/** 16 hex digits, sorting as text in stamp order. */
export function formatHlc(stamp: Hlc): string {
  return stamp.ms.toString(16).padStart(12, "0") + stamp.counter.toString(16).padStart(4, "0");
}
