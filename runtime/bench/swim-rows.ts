/**
 * The rows about membership. Published figures are for the same simulated LAN (one-way latency
 * 0.25–0.75 ms), medians over seeds unless the row says worst; foca's are of its real code,
 * memberlist's of its rules re-implemented.
 */
import {
  crash,
  deaf,
  halves,
  idle,
  joinStorm,
  lossy,
  type CrashFigure,
  type DeafFigure,
  type HealFigure,
  type LossFigure,
} from "../../sim/swim-lab/figures.ts";
import { falsePositives, lifeguardGrid } from "../../sim/swim-lab/lifeguard.ts";
import { bySize, type Row, seedsBySize } from "./swim-row.ts";

/** Experiments give several figures at once: the last one's are kept for the rows that follow. */
function once<Figure>(experiment: (nodes: number, seed: string) => Figure): typeof experiment {
  const kept = new Map<string, Figure>();
  return (nodes, seed) => {
    const key = `${nodes}/${seed}`;
    const known = kept.get(key);
    if (known !== undefined) return known;
    const figure = experiment(nodes, seed);
    kept.set(key, figure);
    return figure;
  };
}

const oneCrash = once<CrashFigure>((nodes, seed) => crash({ nodes, seed }, 0));
const tenth = once<CrashFigure>((nodes, seed) => crash({ nodes, seed }, 0.1));
const cut = once<HealFigure>((nodes, seed) => halves({ nodes, seed }));
const oneDeaf = once<DeafFigure>((nodes, seed) => deaf({ nodes, seed }));
const fifthLost = once<LossFigure>((nodes, seed) => lossy({ nodes, seed }, 0.2));

function reached(sec: number): number {
  return sec < 0 ? Infinity : sec;
}

export const membershipRows: readonly Row[] = [
  {
    key: "idle",
    title: "idle, bytes/s a node",
    digits: 0,
    foca: bySize(107, 107, 60),
    memberlist: bySize(81, 81, 81),
    goal: bySize(80, 80, 85),
    judged: "median",
    measure: (nodes, seed) => idle({ nodes, seed }),
    seeds: seedsBySize(5, 3, 1),
  },
  {
    key: "crash",
    title: "crash known to all, s",
    digits: 1,
    foca: bySize(10.1, 15, 18.6),
    memberlist: bySize(10, 14.3, 20.1),
    goal: bySize(9.5, 13.5, 18),
    judged: "median",
    measure: (nodes, seed) => reached(oneCrash(nodes, seed).lastSec),
    seeds: seedsBySize(100, 20, 3),
  },
  {
    key: "spread",
    title: "from the first that knows to the last, worst, s",
    digits: 2,
    foca: bySize(39.8),
    memberlist: bySize(0.6, 0.6, 0.8),
    goal: bySize(0.6, 0.8, 1),
    judged: "worst",
    measure: (nodes, seed) => {
      const { lastSec, spreadSec } = oneCrash(nodes, seed);
      return lastSec < 0 ? Infinity : spreadSec;
    },
    seeds: seedsBySize(100, 20, 3),
  },
  {
    key: "tenth",
    title: "10 % crash known to all, worst, s",
    digits: 1,
    foca: bySize(156, 158),
    memberlist: bySize(16, 25),
    goal: bySize(16, 25),
    judged: "worst",
    measure: (nodes, seed) => reached(tenth(nodes, seed).lastSec),
    seeds: seedsBySize(50, 5, 0),
  },
  {
    key: "storm",
    title: "join storm, all know all, s",
    digits: 1,
    foca: bySize(31, ">300"),
    memberlist: bySize(2.8, 44.6),
    goal: bySize(2.5, 10, 30),
    judged: "median",
    measure: (nodes, seed) => reached(joinStorm({ nodes, seed })),
    seeds: seedsBySize(30, 5, 0),
  },
  {
    key: "heal",
    title: "halves cut for 120 s, healed everywhere, s",
    digits: 1,
    foca: bySize(133, ">600"),
    memberlist: bySize("never", "never"),
    goal: bySize(10, 30, 60),
    judged: "median",
    measure: (nodes, seed) => reached(cut(nodes, seed).healedSec),
    seeds: seedsBySize(10, 2, 0),
  },
  {
    key: "heal-deaths",
    title: "  false downs as they heal, worst",
    digits: 0,
    foca: {},
    memberlist: {},
    goal: bySize(0, 0, 0),
    judged: "worst",
    measure: (nodes, seed) => cut(nodes, seed).falseDowns,
    seeds: seedsBySize(10, 2, 0),
  },
  {
    key: "deaf",
    title: "one node deaf for 120 s, false downs, worst",
    digits: 0,
    foca: bySize(53, 512),
    memberlist: bySize(0, 0),
    goal: bySize(0, 0, 0),
    judged: "worst",
    measure: (nodes, seed) => oneDeaf(nodes, seed).falseDowns,
    seeds: seedsBySize(10, 3, 0),
  },
  {
    key: "deaf-own",
    title: "  in the deaf one's own eyes, median",
    digits: 0,
    foca: {},
    memberlist: {},
    goal: {},
    judged: "median",
    measure: (nodes, seed) => oneDeaf(nodes, seed).ownFalseDowns,
    seeds: seedsBySize(10, 3, 0),
  },
  {
    key: "loss",
    title: "20 % loss, bytes/s a node",
    digits: 0,
    foca: bySize(2089, 22_307),
    memberlist: bySize(257, 257),
    goal: bySize(260, 260, 260),
    judged: "median",
    measure: (nodes, seed) => fifthLost(nodes, seed).bytesPerSec,
    seeds: seedsBySize(10, 3, 0),
  },
  {
    key: "loss-deaths",
    title: "  false downs, worst",
    digits: 0,
    foca: bySize("many", "many"),
    memberlist: bySize(0, 0),
    goal: bySize(0, 0, 0),
    judged: "worst",
    measure: (nodes, seed) => fifthLost(nodes, seed).falseDowns,
    seeds: seedsBySize(10, 3, 0),
  },
  {
    key: "wan",
    title: "WAN (20–150 ms), crash known to all, s",
    digits: 1,
    foca: bySize(71.7, 100.6),
    memberlist: bySize(68.4, 100.5, 136),
    goal: bySize(60, 90, 120),
    judged: "median",
    measure: (nodes, seed) => reached(crash({ nodes, seed }, 0, true).lastSec),
    seeds: seedsBySize(50, 10, 1),
  },
  {
    key: "lifeguard",
    // Published under memberlist: its rules without Lifeguard, and with it.
    title: "blocked I/O, sum of Lifeguard's grid (128 members), false downs",
    digits: 0,
    foca: {},
    memberlist: bySize("127,082 · 87"),
    goal: bySize(127),
    judged: "median",
    measure: (_nodes, seed) => {
      let deaths = 0;
      for (const anomaly of lifeguardGrid()) deaths += falsePositives(anomaly, seed).byHealthy;
      return deaths;
    },
    // It has a size of its own: printed with the smallest cluster.
    seeds: seedsBySize(1, 0, 0),
  },
];
