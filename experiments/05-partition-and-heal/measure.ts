/** Two halves of a cluster are cut apart, both are written to, and the cut heals. */
import { createRng } from "../../sim/rng.ts";
import { halves } from "../../sim/swim-lab/figures.ts";
import { Fleet } from "../bench/fleet.ts";
import { rounded } from "../bench/statistics.ts";

/**
 * `rows`: whole replicas, every write a row of its own. `hot`: every write to one of a hundred
 * rows. `members`: memberships alone, cut for two minutes.
 */
export type Cell = Readonly<{
  kind: "rows" | "hot" | "members";
  nodes: number;
  cutSec: number;
  /** Writes a second, of both halves together. */
  perSec: number;
  seed: string;
}>;

export type Row = Readonly<{
  /** From the heal until all nodes hold the same; of members: until all lists agree. */
  healedMs: number;
  /** From the heal until the first message crosses between the halves. */
  contactMs: number;
  writes: number;
  /** Of versions that a node lacks at the heal, summed over the nodes. */
  differenceBytes: number;
  /** Of broadcast and repair, from the heal until all hold the same. */
  sentBytes: number;
  /** Deaths of running members told after the heal. */
  falseDowns: number;
}>;

const warmUpMs = 3000;
const limitMs = 120_000;
const hotRows = 100;

export function measure(cell: Cell): Row {
  return cell.kind === "members" ? healMembers(cell) : healData(cell);
}

function healMembers({ nodes, seed, cutSec }: Cell): Row {
  const { contactSec, healedSec, falseDowns } = halves({ nodes, seed }, cutSec);
  const healedMs = healedSec < 0 ? limitMs : healedSec * 1000;
  const none = { writes: 0, differenceBytes: 0, sentBytes: 0 };
  return {
    healedMs: rounded(healedMs, 1),
    contactMs: rounded(contactSec * 1000, 1),
    falseDowns,
    ...none,
  };
}

function healData({ kind, nodes, cutSec, perSec, seed }: Cell): Row {
  const healMs = warmUpMs + cutSec * 1000;
  const half = nodes >> 1;
  const all = Array.from({ length: nodes }, (_, i) => i);
  const fleet = new Fleet(
    {
      nodes,
      durationMs: healMs + 2 * limitMs,
      network: { latencyMs: { min: 1, max: 5 } },
      faults: [
        { kind: "partition", atMs: warmUpMs, groups: [all.slice(0, half), all.slice(half)] },
        { kind: "heal", atMs: healMs },
      ],
      start: "warm",
    },
    seed,
  );
  const rng = createRng(seed).fork("writers");
  fleet.runUntil(warmUpMs);
  // The last writes have the time to spread on their own side.
  const untilMs = healMs - 1000;
  for (let atMs = warmUpMs; atMs < untilMs; atMs += 1000 / perSec) {
    fleet.runUntil(atMs);
    fleet.write(rng.below(nodes), kind === "hot" ? `k${rng.below(hotRows)}` : undefined);
  }
  fleet.runUntil(healMs);
  return watchHeal(fleet, half);
}

function watchHeal(fleet: Fleet, half: number): Row {
  const { world } = fleet.run;
  const { traffic, agreement } = world;
  const healMs = fleet.nowMs;
  const before = (traffic.bytes[1] as number) + (traffic.bytes[2] as number);
  let differenceBytes = 0;
  const others = fleet.nodes.length - half;
  for (const write of fleet.writes)
    differenceBytes += write.bytes * (write.node < half ? others : half);
  const applied = fleet.writes.map(({ appliedUs }) => appliedUs.length);
  let contactMs = limitMs;
  while (agreement.sinceUs < 0 && fleet.nowMs < healMs + limitMs) {
    fleet.runUntil(fleet.nowMs + 5);
    if (contactMs < limitMs) continue;
    const came = fleet.writes.some(({ appliedUs }, i) => appliedUs.length > (applied[i] as number));
    if (came) contactMs = fleet.nowMs - healMs;
  }
  const healedMs = agreement.sinceUs < 0 ? limitMs : agreement.sinceUs / 1000 - healMs;
  const sent = (traffic.bytes[1] as number) + (traffic.bytes[2] as number) - before;
  return {
    healedMs: rounded(healedMs, 1),
    contactMs: rounded(Math.min(contactMs, healedMs), 1),
    writes: fleet.writes.length,
    differenceBytes,
    sentBytes: sent,
    falseDowns: 0,
  };
}
