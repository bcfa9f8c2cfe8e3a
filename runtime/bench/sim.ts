/**
 * `npm run bench sim`: how fast the simulator is. Messages a second on one core in scenarios with
 * data, and how many times faster than real time clusters of 1,000 and 10,000 nodes keep their
 * membership. Every run is in a process of its own, so that none warms or bloats another.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { runScenario } from "../../sim/run.ts";
import type { CheckName } from "../../sim/check/check.ts";
import { formatBytes, formatCount, formatDuration, formatTable, median } from "../cli/format.ts";
import { simEngineOptions, tidyUp } from "../cli/sim-engine.ts";
import { profiled } from "./profile.ts";
import type { ProfileResult } from "./profile.ts";
import { dataCases, membershipCase } from "./sim-cases.ts";
import type { SimCase } from "./sim-cases.ts";

const usage = `usage: npm run bench sim -- [PART…] [--reps N] [--profile]

  data             messages a second, with and without the checks
  members-1000     a warm cluster of 1,000 nodes over 60 virtual seconds, 1 % loss, 10 crashes
  members-10000    the same with 10,000 nodes, and the memory it took
  --reps N         repetitions of which the median is printed (default 3; of 10,000 nodes always 1)
  --profile        one more run of each, and where its time goes
`;

const parts = ["data", "members-1000", "members-10000"] as const;
type Part = (typeof parts)[number];

/** What a process that measured runs of one case prints. */
interface Measured {
  readonly ok: boolean;
  readonly runs: number;
  readonly messages: number;
  readonly virtualMs: number;
  readonly wallMs: number;
  /** Of all threads of the process: what a busy machine does not stretch. */
  readonly cpuMs: number;
  /** Messages a second of CPU time of the very first run, most of which goes into compiling. */
  readonly coldRate: number;
  readonly peakBytes: number;
  readonly profile: ProfileResult | null;
}

interface Request {
  readonly case: string;
  readonly nodes: number;
  readonly checked: boolean;
  readonly profile: boolean;
}

const oneRunFlag = "--one-run";
/** As a sweep is run. The goal for 10,000 nodes is 8 GB for the whole process. */
const engineOptions = (nodes: number): string[] => [
  ...simEngineOptions(nodes),
  "--max-old-space-size=7500",
];

export async function run(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      reps: { type: "string", default: "3" },
      profile: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
      "one-run": { type: "string" },
    },
  });
  if (values["one-run"] !== undefined) {
    await oneRun(JSON.parse(values["one-run"]) as Request);
    return;
  }
  const reps = Number(values.reps);
  const wanted =
    positionals.length === 0 ? parts : parts.filter((part) => positionals.includes(part));
  if (
    values.help ||
    !Number.isInteger(reps) ||
    reps < 1 ||
    positionals.some((word) => !parts.includes(word as Part))
  ) {
    process.stderr.write(usage);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  if (wanted.includes("data")) benchData(reps, values.profile);
  if (wanted.includes("members-1000")) benchMembers(1000, reps, values.profile);
  if (wanted.includes("members-10000")) benchMembers(10_000, 1, values.profile);
}

function benchData(reps: number, profile: boolean): void {
  const rows = dataCases.map((simCase) => {
    const bare = measure(simCase, { checked: false, profile: false }, reps);
    const checked = measure(simCase, { checked: true, profile: false }, reps);
    return [
      `${simCase.name}, ${simCase.nodes} nodes`,
      formatCount(Math.round(bare.messages / bare.runs)),
      thousands(bare.coldRate),
      thousands(rate(bare)),
      thousands(checked.coldRate),
      thousands(rate(checked)),
      `${formatCount(Math.round(bare.virtualMs / bare.cpuMs))} ×`,
    ];
  });
  const warmSeconds = warmUpMs / 1000;
  print(
    `Messages a second of CPU time (goal: 300,000). Cold: the very first run of a process. Warm: seed after seed as in a sweep, from the ${warmSeconds}th second on`,
    [
      [
        "scenario",
        "messages a run",
        "no checks, cold",
        "no checks, warm",
        "all checks, cold",
        "all checks, warm",
        "real time",
      ],
      ...rows,
    ],
  );
  if (profile) for (const simCase of dataCases) printProfile(simCase);
}

function benchMembers(nodes: number, reps: number, profile: boolean): void {
  const simCase = membershipCase(nodes);
  const goal = nodes === 1000 ? "20 × real time" : "faster than real time, in 8 GB";
  const result = measure(simCase, { checked: false, profile: false }, reps);
  print(`${formatCount(nodes)} nodes, all known to all, 1 % loss, 10 crashes (goal: ${goal})`, [
    [
      "virtual",
      "wall",
      "real time",
      "by CPU time",
      "messages",
      "messages/s",
      "peak memory",
      "all found dead",
    ],
    [
      formatDuration(result.virtualMs),
      formatDuration(result.wallMs),
      `${(result.virtualMs / result.wallMs).toFixed(1)} ×`,
      `${(result.virtualMs / result.cpuMs).toFixed(1)} ×`,
      formatCount(result.messages),
      thousands(rate(result)),
      formatBytes(result.peakBytes),
      result.ok ? "yes" : "NO",
    ],
  ]);
  if (profile) printProfile(simCase);
}

function thousands(perSecond: number): string {
  return formatCount(Math.round(perSecond / 1000) * 1000);
}

/** Messages a second of CPU time. */
function rate({ messages, cpuMs }: Measured): number {
  return (messages / cpuMs) * 1000;
}

/** The run in the middle of `reps` by CPU time. */
function measure(
  simCase: SimCase,
  how: Pick<Request, "checked" | "profile">,
  reps: number,
): Measured {
  const runs = Array.from({ length: reps }, () =>
    inOwnProcess({ case: simCase.name, nodes: simCase.nodes, ...how }),
  );
  const middle = median(runs.map(({ cpuMs }) => cpuMs));
  return runs.toSorted(
    (a, b) => Math.abs(a.cpuMs - middle) - Math.abs(b.cpuMs - middle),
  )[0] as Measured;
}

function inOwnProcess(request: Request): Measured {
  const main = fileURLToPath(new URL("./main.ts", import.meta.url));
  const child = spawnSync(
    process.execPath,
    [...engineOptions(request.nodes), main, "sim", oneRunFlag, JSON.stringify(request)],
    { stdio: ["ignore", "pipe", "inherit"], encoding: "utf8", maxBuffer: 1 << 26 },
  );
  if (child.status !== 0)
    throw new Error(`the run of ${request.case} ended with ${child.status ?? child.signal}`);
  return JSON.parse(child.stdout) as Measured;
}

const noChecks: readonly CheckName[] = [];

/**
 * CPU time for which short runs are repeated, each with a seed of its own as in a sweep: first
 * unmeasured, then measured. The engine goes on compiling for some five seconds; a sweep of
 * thousands of seeds runs for minutes.
 */
const warmUpMs = 6000;
const measuredMs = 3000;

async function oneRun(request: Request): Promise<void> {
  const simCase =
    dataCases.find(({ name, nodes }) => name === request.case && nodes === request.nodes) ??
    membershipCase(request.nodes);
  const scenario = simCase.build();
  let runs = 0;
  const go = () => {
    const result = runScenario(scenario, {
      seed: `bench-${runs++}`,
      wallClock: () => performance.now(),
      ...(request.checked ? {} : { checks: noChecks }),
    });
    // As the threads of a sweep do.
    tidyUp();
    return result;
  };
  // A large one is run once, cold: it is long enough.
  const short = request.nodes < 1000;
  const coldFrom = process.cpuUsage();
  let coldRate = 0;
  if (short) coldRate = (go().messages / cpuMsSince(coldFrom)) * 1000;
  while (cpuMsSince(coldFrom) < (short ? warmUpMs : 0)) go();
  runs = 0;
  const sum = { ok: true, messages: 0, virtualMs: 0, wallMs: 0 };
  const before = process.cpuUsage();
  const measure = () => {
    do {
      const { ok, messages, virtualMs, wallMs } = go();
      sum.ok &&= ok;
      sum.messages += messages;
      sum.virtualMs += virtualMs;
      sum.wallMs += wallMs;
    } while (cpuMsSince(before) < (short ? measuredMs : 0));
  };
  let profile: ProfileResult | null = null;
  if (request.profile) profile = await profiled(measure);
  else measure();
  const measured: Measured = {
    ...sum,
    runs,
    cpuMs: cpuMsSince(before),
    coldRate,
    peakBytes: process.resourceUsage().maxRSS * 1024,
    profile,
  };
  process.stdout.write(JSON.stringify(measured));
}

function cpuMsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

function printProfile(simCase: SimCase): void {
  const { profile } = measure(simCase, { checked: false, profile: true }, 1);
  if (profile === null) return;
  const percent = (part: number): string => `${(part * 100).toFixed(1)} %`;
  print(`Where the time goes: ${simCase.name}, ${simCase.nodes} nodes, no checks`, [
    ["folder", "own time"],
    ...profile.folders.slice(0, 12).map(({ name, part }) => [name, percent(part)]),
  ]);
  print("", [
    ["function", "own time"],
    ...profile.functions.slice(0, 20).map(({ name, part }) => [name, percent(part)]),
  ]);
}

function print(title: string, rows: readonly (readonly string[])[]): void {
  if (title !== "") process.stdout.write(`\n${title}\n\n`);
  const aligns = (rows[0] ?? []).map((_, i) => (i === 0 ? "left" : "right") as "left" | "right");
  for (const line of formatTable(rows, aligns)) process.stdout.write(`  ${line}\n`);
  process.stdout.write("\n");
}
