/**
 * The experiments behind the table of `npm run bench swim`: one seed's worth each. Times are
 * seconds; −1 means that it did not come about before the experiment gave up.
 */
import { type SwimConfig, wanProfile } from "../../core/swim/config.ts";
import { lanLatencyMs, SwimLab, wanLatencyMs } from "./lab.ts";
import { agreed } from "./measure.ts";

export interface FigureOptions {
  readonly nodes: number;
  readonly seed: string;
  readonly config?: SwimConfig;
}

function lab(
  o: FigureOptions,
  more: { loss?: number; warm?: boolean; wan?: boolean } = {},
): SwimLab {
  const { wan = false, ...rest } = more;
  const config = o.config ?? (wan ? wanProfile : undefined);
  return new SwimLab({
    seed: o.seed,
    nodes: o.nodes,
    ...(config === undefined ? {} : { config }),
    latencyMs: wan ? wanLatencyMs : lanLatencyMs,
    watch: false,
    ...rest,
  });
}

/** Payload bytes that a node sends per second when nothing happens. */
export function idle(o: FigureOptions): number {
  const cluster = lab(o);
  cluster.start();
  cluster.runUntil(10_000);
  cluster.traffic.reset();
  cluster.runUntil(30_000);
  return cluster.traffic.bytes / o.nodes / 20;
}

export interface CrashFigure {
  /** From the crash until the first, and until the last running node holds the member down. */
  readonly firstSec: number;
  readonly lastSec: number;
  /** The longest of the crashed members' times from the first to the last that knew. */
  readonly spreadSec: number;
  readonly falseDowns: number;
}

/** `share` of the nodes, at least one, crash at the same moment. */
export function crash(o: FigureOptions, share: number, wan = false): CrashFigure {
  const cluster = lab(o, { wan });
  const count = Math.max(1, Math.round(o.nodes * share));
  const dead = new Set<number>();
  const rng = cluster.rng.fork("crash");
  while (dead.size < count) dead.add(rng.below(o.nodes));
  const observers = o.nodes - count;
  const knowing = new Map<number, number>();
  const firstMs = new Map<number, number>();
  const atMs = 5000;
  let lastMs = atMs;
  let complete = 0;
  let spreadMs = 0;
  let falseDowns = 0;
  cluster.onNotice = (node, notice, nowMs) => {
    if (notice.type !== "member" || notice.state !== "down" || dead.has(node)) return;
    const about = cluster.indexOf(notice.about);
    if (!dead.has(about)) {
      falseDowns++;
      return;
    }
    if (!firstMs.has(about)) firstMs.set(about, nowMs);
    const known = (knowing.get(about) ?? 0) + 1;
    knowing.set(about, known);
    if (known < observers) return;
    complete++;
    lastMs = Math.max(lastMs, nowMs);
    spreadMs = Math.max(spreadMs, nowMs - (firstMs.get(about) as number));
  };
  cluster.start();
  cluster.runUntil(atMs);
  for (const node of dead) cluster.crash(node);
  const limitMs = wan ? 400_000 : 200_000;
  cluster.runUntilTrue(() => complete === count, atMs + limitMs, 200);
  const first = Math.min(...firstMs.values());
  return {
    firstSec: (first - atMs) / 1000,
    lastSec: complete === count ? (lastMs - atMs) / 1000 : -1,
    spreadSec: spreadMs / 1000,
    falseDowns,
  };
}

/** All nodes start within a second and know one seed; until every list is complete, from the first start. */
export function joinStorm(o: FigureOptions): number {
  const cluster = lab(o, { warm: false });
  const rng = cluster.rng.fork("storm");
  cluster.boot(0, [], null);
  for (let node = 1; node < o.nodes; node++) {
    cluster.at(rng.unit() * 1000, () => cluster.boot(node, [0], null));
  }
  cluster.runUntil(1000);
  const at = cluster.runUntilTrue(() => agreed(cluster), 120_000);
  return at < 0 ? -1 : at / 1000;
}

export interface HealFigure {
  /** From the heal until the first node holds a member of the other side alive, and until all agree. */
  readonly contactSec: number;
  readonly healedSec: number;
  /** Deaths of running nodes told after the heal. */
  readonly falseDowns: number;
}

/** Two halves are cut apart for so long. */
export function halves(o: FigureOptions, cutSec = 120): HealFigure {
  const cluster = lab(o);
  const half = Math.floor(o.nodes / 2);
  const all = Array.from({ length: o.nodes }, (_, i) => i);
  cluster.start();
  cluster.runUntil(5000);
  const cut = cluster.partition([all.slice(0, half), all.slice(half)]);
  cluster.runUntil(5000 + cutSec * 1000);
  const healedMs = cluster.nowMs;
  let contactMs = -1;
  let falseDowns = 0;
  cluster.onNotice = (node, notice, nowMs) => {
    if (notice.type !== "member") return;
    if (notice.state === "down") falseDowns++;
    const across = node < half !== cluster.indexOf(notice.about) < half;
    if (contactMs < 0 && notice.state === "alive" && across) contactMs = nowMs;
  };
  cluster.heal(cut);
  const at = cluster.runUntilTrue(() => agreed(cluster), healedMs + 300_000);
  return {
    contactSec: contactMs < 0 ? -1 : (contactMs - healedMs) / 1000,
    healedSec: at < 0 ? -1 : (at - healedMs) / 1000,
    falseDowns,
  };
}

export interface DeafFigure {
  /** Deaths of healthy members told by healthy members. */
  readonly falseDowns: number;
  /** Deaths of healthy members in the eyes of the deaf one. */
  readonly ownFalseDowns: number;
  readonly healedSec: number;
  readonly bytesPerSec: number;
}

/** One node sends but does not receive, for two minutes. */
export function deaf(o: FigureOptions): DeafFigure {
  const cluster = lab(o);
  const others = Array.from({ length: o.nodes - 1 }, (_, i) => i + 1);
  cluster.start();
  cluster.runUntil(5000);
  let falseDowns = 0;
  let ownFalseDowns = 0;
  cluster.onNotice = (node, notice) => {
    if (notice.type !== "member" || notice.state !== "down") return;
    if (cluster.indexOf(notice.about) === 0) return;
    if (node === 0) ownFalseDowns++;
    else falseDowns++;
  };
  cluster.traffic.reset();
  const cut = cluster.partition([others, [0]], true);
  cluster.runUntil(125_000);
  const bytesPerSec = cluster.traffic.bytes / o.nodes / 120;
  cluster.heal(cut);
  const at = cluster.runUntilTrue(() => agreed(cluster), 245_000);
  const healedSec = at < 0 ? -1 : (at - 125_000) / 1000;
  return { falseDowns, ownFalseDowns, healedSec, bytesPerSec };
}

export interface LossFigure {
  readonly bytesPerSec: number;
  readonly falseDowns: number;
  readonly suspicions: number;
}

/** A minute in which so many datagrams are lost. */
export function lossy(o: FigureOptions, loss: number): LossFigure {
  const cluster = lab(o, { loss });
  let falseDowns = 0;
  let suspicions = 0;
  cluster.onNotice = (_node, notice) => {
    if (notice.type !== "member") return;
    if (notice.state === "down") falseDowns++;
    if (notice.state === "suspect") suspicions++;
  };
  cluster.start();
  cluster.runUntil(10_000);
  cluster.traffic.reset();
  cluster.runUntil(70_000);
  return { bytesPerSec: cluster.traffic.bytes / o.nodes / 60, falseDowns, suspicions };
}
