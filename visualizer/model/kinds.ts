/**
 * Event kinds of a trace as small numbers, for columns. The names are those of the trace format;
 * a kind that is not listed here is passed over and counted.
 */
export const kindNames = [
  "send",
  "recv",
  "drop",
  "member",
  "commit",
  "apply",
  "buffer",
  "need",
  "state",
  "fault",
  "lift",
  "crash",
  "restart",
  "pause",
  "resume",
  "leave",
  "join",
  "snapshot",
  "violation",
  "end",
] as const;

export type KindName = (typeof kindNames)[number];

/** The code of each kind: its place in `kindNames`. */
export const Kind = {
  send: 0,
  recv: 1,
  drop: 2,
  member: 3,
  commit: 4,
  apply: 5,
  buffer: 6,
  need: 7,
  state: 8,
  fault: 9,
  lift: 10,
  crash: 11,
  restart: 12,
  pause: 13,
  resume: 14,
  leave: 15,
  join: 16,
  snapshot: 17,
  violation: 18,
  end: 19,
} as const satisfies Record<KindName, number>;

export const planeNames = ["swim", "gossip", "sync"] as const;
export type PlaneName = (typeof planeNames)[number];

/** Membership states; `unknown` is what an observer holds before it hears of a member. */
export const stateNames = ["unknown", "alive", "suspect", "down", "left"] as const;
export type StateName = (typeof stateNames)[number];
export const State = {
  unknown: 0,
  alive: 1,
  suspect: 2,
  down: 3,
  left: 4,
} as const satisfies Record<StateName, number>;

export const dropReasons = ["loss", "partition", "cut", "dead", "corrupt", "overflow"] as const;
export const viaNames = ["gossip", "sync", "snapshot"] as const;
export const diskNames = ["kept", "torn", "lost"] as const;

/** Largest node number that is read; a larger one is damage, not a cluster. */
export const maxNodeNumber = 65_535;

export function kindName(code: number): KindName {
  return kindNames[code] ?? "end";
}
