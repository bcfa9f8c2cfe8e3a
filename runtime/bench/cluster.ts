/**
 * `npm run bench cluster`: real nodes on loopback under load, beside any other cluster that speaks
 * the same API. Parts that start and stop nodes are measured for our own alone.
 */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { formatBytes, formatCount, formatTable } from "../cli/format.ts";
import { benchSchema, type Figure, measureThroughput } from "./cluster-driver.ts";
import {
  type Caught,
  measureCatchUp,
  measureIdle,
  measureJoin,
  OwnCluster,
} from "./cluster-own.ts";
import { measureSwim, type SwimPhase } from "./cluster-swim.ts";
import type { TransportKind } from "../net/transport.ts";
import { quantile } from "./http-load.ts";
import { measurePropagation } from "./propagation.ts";

const parts = ["three", "http", "thirty", "idle", "catch-up", "join", "swim"] as const;
type Part = (typeof parts)[number];

const kinds: readonly TransportKind[] = ["auto", "quic", "tcp"];

const usage = `usage: npm run bench cluster -- [PART…] [--against URL,URL…] [--seconds N] [--nodes N] [--no-sign] [--transport KIND] [--dir DIR]

  three           three nodes, 200 one-row transactions a second: when others can read them
  http            one node, 32 connections: transactions and queries a second
  thirty          thirty nodes (or --nodes N) on this machine, 50 a second
  idle            what one of thirty nodes takes while nothing happens
  catch-up        a node that missed 100,000 one-row versions
  join            an empty node joins a million rows
  swim            how long a node takes to answer pings while it is busy with other things
  --against URLS  nodes of another system with this API: three, to run three and http on as well, or
                  more for thirty; they need the table: ${benchSchema}
  --nodes N       how many nodes thirty starts (default 30)
  --seconds N     how long each load lasts (default 10)
  --no-sign       nodes that do not sign their versions
  --transport KIND how the nodes talk: ${kinds.join(", ")} (default auto)
  --dir DIR       where the databases stand meanwhile (default: ${tmpdir()})
`;

interface Plan {
  readonly parts: readonly Part[];
  readonly against: readonly string[];
  readonly seconds: number;
  readonly nodes: number;
  readonly sign: boolean;
  readonly transport: TransportKind;
  readonly dir: string;
}

/** A million cells, as one node writes them in a while. */
const swimSizes = { seconds: 10, rows: 1_000_000, perTransaction: 20_000 };

type Row = readonly [what: string, patina: string, other: string, ratio: string, goal: string];

export async function run(args: readonly string[]): Promise<void> {
  const plan = planOf(args);
  if (plan === null) {
    process.stderr.write(usage);
    process.exitCode = 2;
    return;
  }
  const rows: Row[] = [];
  for (const part of plan.parts) {
    process.stderr.write(`${part}…\n`);
    rows.push(...(await measure(part, plan)));
  }
  const head: Row = ["", "Patina", plan.against.length > 0 ? "the other" : "", "", "goal"];
  const aligns = ["left", "right", "right", "right", "right"] as const;
  process.stdout.write(`${formatTable([head, ...rows], [...aligns]).join("\n")}\n`);
}

function planOf(args: readonly string[]): Plan | null {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      against: { type: "string", default: "" },
      seconds: { type: "string", default: "10" },
      nodes: { type: "string", default: "30" },
      "no-sign": { type: "boolean", default: false },
      transport: { type: "string", default: "auto" },
      dir: { type: "string", default: join(tmpdir(), "patina-bench") },
      help: { type: "boolean", default: false },
    },
  });
  const seconds = Number(values.seconds);
  const nodes = Number(values.nodes);
  const unknown = positionals.some((word) => !parts.includes(word as Part));
  const transport = kinds.find((kind) => kind === values.transport);
  if (values.help || unknown || !(seconds >= 1) || !(nodes >= 2)) return null;
  if (transport === undefined) return null;
  return {
    parts: positionals.length === 0 ? parts : parts.filter((part) => positionals.includes(part)),
    against: values.against.split(",").filter((url) => url !== ""),
    seconds,
    nodes,
    sign: !values["no-sign"],
    transport,
    dir: values.dir,
  };
}

async function measure(part: Part, plan: Plan): Promise<readonly Row[]> {
  const { seconds, against, nodes } = plan;
  const count = { three: 3, http: 1, thirty: nodes, idle: 30, "catch-up": 3, join: 3, swim: 3 }[
    part
  ];
  const cluster = await OwnCluster.make(plan.dir, count, plan.sign, plan.transport);
  try {
    switch (part) {
      case "three":
        await cluster.startAll();
        return await propagationRows(cluster, against.slice(0, 3), 200, seconds);
      case "http": {
        await cluster.startAll();
        const own = await measureThroughput(cluster.urls[0] as string, 32, seconds);
        const [url] = against;
        return sideBySide(own, url === undefined ? [] : await measureThroughput(url, 32, seconds));
      }
      case "thirty":
        await cluster.startAll();
        return await propagationRows(cluster, against.length > 3 ? against : [], 50, seconds);
      case "idle": {
        await cluster.startAll();
        const idle = await measureIdle(cluster, seconds * 3);
        const row = (what: string, value: string, goal = ""): Row => [
          `30 nodes idle: ${what}`,
          value,
          "",
          "",
          goal,
        ];
        return [
          row("CPU of a node", `${(idle.cpuPart * 100).toFixed(2)} %`, "< 1 %"),
          row(
            "memory of a node (PSS: shared pages divided)",
            formatBytes(idle.pssBytes),
            "< 120 MB",
          ),
          row("RSS of its main process", formatBytes(idle.mainRssBytes)),
          row("RSS of its processes (shared pages in each)", formatBytes(idle.rssBytes)),
          row("processes of a node", idle.processes.toFixed(1)),
        ];
      }
      case "catch-up":
        return caughtRows(
          "100,000 missed versions",
          await measureCatchUp(cluster, 100_000),
          "< 10 s",
        );
      case "join":
        return caughtRows("joining 1 M rows", await measureJoin(cluster, 1_000_000), "< 60 s");
      case "swim":
        return swimRows(await measureSwim(cluster, swimSizes));
    }
  } finally {
    await cluster.dispose();
  }
}

async function propagationRows(
  cluster: OwnCluster,
  against: readonly string[],
  perSecond: number,
  seconds: number,
): Promise<readonly Row[]> {
  const { urls } = cluster;
  const own = await measurePropagation({ urls, perSecond, seconds, nodesCpu: () => cluster.cpu() });
  // They would take turns with the others on the same cores.
  await cluster.stopAll();
  if (against.length < 2) return sideBySide(own, []);
  return sideBySide(own, await measurePropagation({ urls: against, perSecond, seconds }));
}

function swimRows(phases: readonly SwimPhase[]): Row[] {
  return phases.flatMap(({ what, times: { answers, unanswered, shortened } }): Row[] => {
    const ms = (part: number): string => text(quantile(answers, part), "ms");
    const notes = [
      ...(unanswered === 0 ? [] : [`${unanswered} lost`]),
      ...(shortened === 0 ? [] : [`${shortened} less own waits`]),
    ];
    return [
      [`ping, ${what}: median of ${answers.length}`, ms(0.5), "", "", ""],
      [`ping, ${what}: p99`, ms(0.99), "", "", ""],
      [
        `ping, ${what}: longest`,
        text(answers.at(-1) ?? Number.NaN, "ms"),
        notes.join(", "),
        "",
        "≤ 50 ms",
      ],
    ];
  });
}

function caughtRows(what: string, caught: Caught, goal: string): Row[] {
  const { seconds, readySeconds, peakPssBytes } = caught;
  return [
    [`${what}: from ready`, `${readySeconds.toFixed(1)} s`, "", "", goal],
    [`${what}: from the start of the process`, `${seconds.toFixed(1)} s`, "", "", ""],
    [`${what}: most memory (PSS)`, formatBytes(peakPssBytes), "", "", ""],
  ];
}

function sideBySide(own: readonly Figure[], other: readonly Figure[]): Row[] {
  return own.map((figure, i) => {
    const theirs = other[i];
    const ratio =
      theirs === undefined || figure.unit === "s"
        ? ""
        : figure.unit === "ms"
          ? `${(theirs.value / figure.value).toFixed(1)}× sooner`
          : `${(figure.value / theirs.value).toFixed(1)}×`;
    const goal =
      figure.goal === undefined
        ? ""
        : `${figure.unit === "ms" ? "≤" : "≥"} ${text(figure.goal, figure.unit)}`;
    return [
      figure.label,
      text(figure.value, figure.unit),
      theirs === undefined ? "" : text(theirs.value, theirs.unit),
      ratio,
      goal,
    ];
  });
}

function text(value: number, unit: Figure["unit"]): string {
  if (unit === "s") return `${value.toFixed(2)} s`;
  if (unit === "ms") return `${value.toFixed(value < 1 ? 2 : value < 100 ? 1 : 0)} ms`;
  return `${formatCount(Math.round(value))}/s`;
}
