import { expect, test } from "vitest";
import type { RunOptions } from "../../../sim/run.ts";
import { createRun, runScenario } from "../../../sim/run.ts";
import { parseScenario } from "../../../sim/scenario/parse.ts";
import type { Scenario } from "../../../sim/scenario/scenario.ts";
import { faultyStores } from "./faulty-stores.ts";

function scenario(json: object): Scenario {
  const parsed = parseScenario({ nodes: 3, durationMs: 6000, ...json }, "test");
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.scenario;
}

interface Line {
  readonly t: number;
  readonly k: string;
  readonly n?: number;
  readonly [field: string]: unknown;
}

/** The events of a run, header apart. */
function trace(json: object, options: Partial<RunOptions> = {}): Line[] {
  const lines: Line[] = [];
  const run = createRun(scenario(json), {
    seed: "t",
    trace: (line) => lines.push(JSON.parse(line) as Line),
    ...options,
  });
  run.step(Infinity);
  expect(run.result().violations).toEqual([]);
  return lines.slice(1);
}

const writes = { workload: [{ kind: "random", ratePerSec: 20 }] };
const rough = {
  ...writes,
  network: { latencyMs: { min: 1, max: 20 }, loss: 0.05, duplicate: 0.05, corrupt: 0.01 },
  clocks: { skewMsMax: 100, driftPpmMax: 100 },
  faults: [{ kind: "random", everyMs: 500 }],
};

test("SI01: a run is the same again, stepped or not, with its trace written or not", () => {
  const whole = runScenario(scenario(rough), { seed: "s" });
  const again = runScenario(scenario(rough), { seed: "s" });
  expect(again).toEqual(whole);
  const stepped = createRun(scenario(rough), {
    seed: "s",
    trace: () => undefined,
    progress: () => undefined,
    record: true,
  });
  for (let us = 0; !stepped.step(us); us += 33_333) expect(stepped.done).toBe(false);
  expect(stepped.result()).toEqual(whole);
  expect(whole.messages).toBeGreaterThan(300);
});

test("SI01: a run is the same after one that a handler broke off, and beside one that it takes turns with", () => {
  const whole = runScenario(scenario(rough), { seed: "s" });
  let received = 0;
  const storeFactory = faultyStores((store) => ({
    receive: (...given) => {
      if (++received === 10) throw new Error("out of order");
      return store.receive(...given);
    },
  }));
  const broken = runScenario(scenario(rough), { seed: "s", storeFactory });
  expect(broken.violations.map(({ check }) => check)).toEqual(["no-crash"]);
  const runs = ["s", "other"].map((seed) => createRun(scenario(rough), { seed }));
  let over: boolean[] = [];
  for (let us = 0; over.length === 0 || over.includes(false); us += 250_000) {
    over = runs.map((run) => run.step(us));
  }
  expect(runs[0]?.result()).toEqual(whole);
});

test("SI01: another seed is another run", () => {
  const hashes = ["a", "b", "c"].map((seed) => runScenario(scenario(rough), { seed }).traceHash);
  expect(new Set(hashes).size).toBe(3);
});

test("SI09: a crashed node is silent until it restarts, and what waited for it is dropped", () => {
  const lines = trace({
    ...writes,
    faults: [
      { kind: "crash", atMs: 2000, node: 1 },
      { kind: "restart", atMs: 4000, node: 1 },
    ],
  });
  const from = lines.findIndex(({ k }) => k === "crash");
  const to = lines.findIndex(({ k }) => k === "restart");
  const silent = lines.slice(from, to);
  expect(silent.length).toBeGreaterThan(10);
  expect(silent.filter(({ k, n }) => n === 1 && (k === "send" || k === "recv"))).toEqual([]);
  expect(
    silent.some(({ k, to: receiver, why }) => k === "drop" && receiver === 1 && why === "dead"),
  ).toBe(true);
  expect(lines.slice(to).some(({ k, n }) => k === "recv" && n === 1)).toBe(true);
});

test("SI09: a paused node is silent, and hears what it missed before its timers fire", () => {
  const lines = trace({
    ...writes,
    faults: [
      { kind: "pause", atMs: 2000, node: 1 },
      { kind: "resume", atMs: 4500, node: 1 },
    ],
  });
  const from = lines.findIndex(({ k }) => k === "pause");
  const to = lines.findIndex(({ k }) => k === "resume");
  expect(
    lines.slice(from, to).filter(({ k, n }) => n === 1 && (k === "send" || k === "recv")),
  ).toEqual([]);
  // Of what was sent to it meanwhile everything is received before it sends a ping of its own.
  const missed = new Set(
    lines
      .slice(from, to)
      .flatMap(({ k, to: receiver, m }) => (k === "send" && receiver === 1 ? [m] : [])),
  );
  const after = lines.slice(to);
  const firstPing = after.findIndex(({ k, n, msg }) => k === "send" && n === 1 && msg === "ping");
  const heard = after.slice(0, firstPing).filter(({ k, n }) => k === "recv" && n === 1);
  expect(missed.size).toBeGreaterThan(10);
  expect(heard.filter(({ m }) => missed.has(m)).length).toBeGreaterThan(missed.size * 0.9);
});

test("SI09: a blocked node's timers run: what they send leaves when the block ends", () => {
  const lines = trace({
    faults: [
      { kind: "block", atMs: 2000, node: 1 },
      { kind: "unblock", atMs: 5000, node: 1 },
    ],
  });
  const during = lines.filter(({ t }) => t > 2_000_000 && t < 5_000_000);
  expect(during.filter(({ k, n }) => n === 1 && (k === "send" || k === "recv"))).toEqual([]);
  const released = lines.filter(
    ({ t, k, n, msg }) => t === 5_000_000 && k === "send" && n === 1 && msg === "ping",
  );
  // Several periods' worth of pings.
  expect(released.length).toBeGreaterThan(2);
});

test.each(["kept", "torn", "lost"] as const)(
  "SI10: a disk that is %s gives back what it should",
  (disk) => {
    const lines = trace({
      workload: [
        { kind: "random", ratePerSec: 40, toMs: 2900 },
        { kind: "random", ratePerSec: 20, fromMs: 4500 },
      ],
      faults: [
        { kind: "crash", atMs: 3000, node: 1, disk },
        { kind: "restart", atMs: 4000, node: 1 },
      ],
    });
    const first = lines.find(({ k, n }) => k === "commit" && n === 1)?.["actor"];
    const restart = lines.findIndex(({ k }) => k === "restart");
    const actor = lines[restart]?.["actor"];
    expect(actor === first).toBe(disk === "kept");
    // Its first words after the restart tell its state: nothing, if the disk was lost.
    const epochs = lines
      .filter(({ k, about }) => k === "member" && about === 1)
      .map(({ epoch }) => epoch as number);
    expect(new Set(epochs).size).toBe(2);
    expect([...epochs].sort((a, b) => a - b)).toEqual(epochs);
    const versions = lines
      .filter(({ k, n, actor: author }) => k === "commit" && n === 1 && author === actor)
      .map(({ version }) => version as number);
    expect(versions).toEqual(versions.map((_, i) => i + 1));
  },
);

test("SI11: a clock that jumps moves stamps, and no timer", () => {
  const jump = { kind: "clock", atMs: 3000, node: 1, jumpMs: 60_000, untilMs: 5000 };
  const quiet = trace({});
  const jumped = trace({ faults: [jump] });
  const sends = (lines: Line[]): unknown[] =>
    lines
      .filter(({ k, t }) => k === "send" && t < 6_000_000)
      .map(({ t, n, to, msg }) => [t, n, to, msg]);
  expect(sends(jumped)).toEqual(sends(quiet));
  const stamps = trace({ ...writes, faults: [jump] })
    .filter(({ k, n }) => k === "commit" && n === 1)
    .map(({ t, hlc }) => Number.parseInt((hlc as string).slice(0, 12), 16) - t / 1000);
  const offsets = new Set(stamps.map((ms) => Math.round((ms - 1_767_225_600_000) / 10_000)));
  expect([...offsets].sort((a, b) => a - b)).toEqual([0, 6]);
});

test("SI11: skewed clocks are off by no more than the scenario says, each by its own", () => {
  const lines = trace({ ...writes, nodes: 5, clocks: { skewMsMax: 1000, driftPpmMax: 0 } });
  const offsets = new Map<number, number>();
  for (const { k, n, t, hlc } of lines) {
    if (k !== "commit" || offsets.has(n as number)) continue;
    const ms = Number.parseInt((hlc as string).slice(0, 12), 16);
    offsets.set(n as number, ms - 1_767_225_600_000 - t / 1000);
  }
  expect(offsets.size).toBe(5);
  // Stamps follow the fastest clock that was heard of, so they may lie above a node's own.
  for (const ms of offsets.values()) expect(Math.abs(ms)).toBeLessThanOrEqual(1001);
  expect(Math.max(...offsets.values()) - Math.min(...offsets.values())).toBeGreaterThan(100);
});

test("SI12: a slow node answers as many times later", () => {
  const delays = (factor: number): number => {
    const lines = trace({
      nodes: 2,
      network: { latencyMs: { min: 1, max: 1 } },
      faults: [{ kind: "slow", atMs: 1000, node: 1, factor }],
    });
    const pings = lines.filter(
      ({ k, n, msg, t }) => k === "recv" && n === 1 && msg === "ping" && t > 1_000_000,
    );
    const acks = lines.filter(
      ({ k, n, msg, t }) => k === "recv" && n === 0 && msg === "ack" && t > 1_000_000,
    );
    return (acks[0]?.t ?? 0) - (pings[0]?.t ?? 0);
  };
  // The way back takes 1 ms; the rest is the handler.
  expect(delays(1)).toBeLessThan(1100);
  expect(delays(1000) - 1000).toBeGreaterThan(10_000);
});

test("SI16: convergence counts from the last write to the moment of agreement", () => {
  const run = createRun(
    scenario({
      network: { latencyMs: { min: 5, max: 5 } },
      workload: [{ kind: "ops", atMs: 5000, node: 0, ops: [["insert", "kv", { k: "a" }]] }],
    }),
    { seed: "c" },
  );
  run.step(Infinity);
  const { converged, convergedAfterMs } = run.result();
  expect(converged).toBe(true);
  // One hop of 5 ms and the handlers.
  expect(convergedAfterMs).toBeGreaterThan(5);
  expect(convergedAfterMs).toBeLessThan(7);
});

test("SI16: it counts from the last fault lifted, and is 0 where nothing was apart", () => {
  const still = runScenario(
    scenario({ faults: [{ kind: "slow", atMs: 1000, node: 0, factor: 2 }] }),
    {
      seed: "c",
    },
  );
  expect(still.convergedAfterMs).toBe(0);
  const cut = runScenario(
    scenario({
      workload: [{ kind: "ops", atMs: 3000, node: 0, ops: [["insert", "kv", { k: "a" }]] }],
      faults: [{ kind: "partition", atMs: 2000, groups: [[0], [1, 2]] }],
    }),
    { seed: "c" },
  );
  expect(cut.converged).toBe(true);
  expect(cut.convergedAfterMs).toBeGreaterThan(0);
  expect(cut.convergedAfterMs).toBeLessThan(3000);
  expect(cut.partitions).toMatchObject([
    { fromMs: 2000, toMs: 6000, states: 2, versionsApart: 1, rowsApart: 1 },
  ]);
});

test("SI16: transactions that fail are counted, and are no violation", () => {
  const insert = { kind: "ops", node: 0, ops: [["insert", "kv", { k: "a" }]] };
  const result = runScenario(
    scenario({
      workload: [
        { ...insert, atMs: 1000 },
        { ...insert, atMs: 2000 },
        { ...insert, node: 1, atMs: 3000 },
      ],
      faults: [{ kind: "crash", atMs: 2500, node: 1 }],
    }),
    { seed: "f" },
  );
  expect(result.writes).toEqual({ acked: 1, failed: 2, lost: 0, lostWithDisk: 0 });
  expect(result.ok).toBe(true);
});

test("SI16: a fill writes a row for each number, and the dump shows them in key order", () => {
  const run = createRun(
    scenario({
      workload: [
        {
          kind: "ops",
          atMs: 1000,
          node: 0,
          ops: [["fill", "kv", 9, 11, { k: "r$i", n: { $: "i" } }]],
        },
      ],
    }),
    { seed: "d" },
  );
  run.step(Infinity);
  const { nodes } = run.dump();
  expect(nodes).toHaveLength(3);
  for (const { alive, tables } of nodes) {
    expect(alive).toBe(true);
    expect(tables["kv"]).toEqual({
      columns: ["k", "v", "n"],
      rows: [
        ["r10", "", 10],
        ["r11", "", 11],
        ["r9", "", 9],
      ],
    });
  }
});
