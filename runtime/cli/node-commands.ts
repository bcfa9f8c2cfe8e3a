/** `patina members`, `status` and `sync-state`: what a node knows. */
import type { Member, Status } from "../client/client.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { type NodeFlags, withNode } from "./find-node.ts";
import { formatBytes, formatCount, formatDuration, formatTable } from "./format.ts";
import type { Style, Terminal } from "./terminal.ts";

export interface MembersFlags extends NodeFlags {
  readonly watch?: true;
  readonly json?: true;
}

export interface StatusFlags extends NodeFlags {
  readonly json?: true;
}

/** @throws CliError */
export async function membersCommand(flags: MembersFlags, terminal: Terminal): Promise<ExitCode> {
  return await withNode(flags, async (client) => {
    if (flags.watch === true) {
      for await (const told of client.watchMembers()) {
        if (flags.json === true) {
          terminal.print(JSON.stringify(told === "ready" ? { ready: true } : { member: told }));
        } else if (told !== "ready") terminal.print(memberLine(told, terminal));
      }
      return exitCodes.ok;
    }
    const members = await client.members();
    if (flags.json === true) terminal.print(JSON.stringify({ members }));
    else if (members.length === 0) terminal.talk("the node knows no other member");
    else {
      const head = ["NAME", "ADDR", "STATE", "INCARNATION", "REGION", "RTT", "ACTOR"];
      const rows = [head, ...members.map(memberCells)];
      for (const line of formatTable(
        rows,
        head.map(() => "left"),
      ))
        terminal.print(line);
    }
    return exitCodes.ok;
  });
}

const stateStyles: Readonly<Record<Member["state"], Style>> = {
  alive: "green",
  suspect: "yellow",
  down: "red",
  left: "dim",
};

function memberLine(member: Member, terminal: Terminal): string {
  const [name, addr, state, incarnation, region, rtt] = memberCells(member);
  const shown = terminal.paint(stateStyles[member.state], state as string);
  return `${name} ${addr} ${shown} (incarnation ${incarnation}, region ${region}, ${rtt})`;
}

function memberCells(member: Member): string[] {
  const { name, addr, state, incarnation, region, rtt_ms: rtt, actor_id: actor } = member;
  const rttText = rtt === null ? "-" : formatDuration(rtt);
  return [name, addr, state, String(incarnation), region === "" ? "-" : region, rttText, actor];
}

/** @throws CliError */
export async function statusCommand(flags: StatusFlags, terminal: Terminal): Promise<ExitCode> {
  return await withNode(flags, async (client) => {
    const status = await client.status();
    if (flags.json === true) terminal.print(JSON.stringify(status));
    else for (const line of statusLines(status)) terminal.print(line);
    return exitCodes.ok;
  });
}

function statusLines(status: Status): string[] {
  const { counters, db, members, queues, schema } = status;
  const states = Object.entries(members).filter(([, count]) => count > 0);
  const busy = queues.filter(({ size }) => size > 0);
  const ready = status.ready ? "ready" : `not ready: ${status.unready ?? "it does not say why"}`;
  const rows = [
    ["node", `${status.name} (${ready}), Patina ${status.version}`],
    ["actor", status.actor_id],
    ["address", `${status.addr}, region ${status.region === "" ? "-" : status.region}`],
    ["cluster", String(status.cluster_id)],
    ["up", formatDuration(status.uptime_seconds * 1000)],
    ["members", states.map(([state, count]) => `${count} ${state}`).join(", ") || "none"],
    ["connections", connectionsOf(counters)],
    ["schema", `${schema.hash} (${schema.tables.join(", ")})`],
    ["gaps", String(status.gaps)],
    ["lag", `${formatDuration(status.p99_lag * 1000)} (99th percentile)`],
    ["queue", `${status.queue_size} changes to apply`],
    ...busy.map(({ name, size, max }) => [`  ${name}`, `${size} of ${max}`]),
    [
      "database",
      `${formatCount(db.rows)} rows, ${formatBytes(db.bytes)}, log ${formatBytes(db.wal_bytes)}`,
    ],
    ["conflicts", `${db.conflicts}, quarantined versions ${db.quarantined}`],
    ["state", db.state_hash],
  ];
  return formatTable(rows, ["left", "left"]);
}

function connectionsOf(counters: Status["counters"]): string {
  const { transport_connections: all = 0, transport_tcp_connections: overTcp = 0 } = counters;
  return overTcp === 0 ? String(all) : `${all}, ${overTcp} of them over TCP`;
}

/** @throws CliError */
export async function syncStateCommand(flags: StatusFlags, terminal: Terminal): Promise<ExitCode> {
  return await withNode(flags, async (client) => {
    const { actor_id, heads, gaps, lag, db } = await client.status();
    if (flags.json === true) {
      terminal.print(JSON.stringify({ actor_id, state_hash: db.state_hash, gaps, heads, lag }));
      return exitCodes.ok;
    }
    const lags = new Map(lag.map((one) => [one.actor_id, one]));
    const rows = Object.entries(heads).map(([actor, head]) => {
      const known = lags.get(actor);
      const self = actor === actor_id ? " (this node)" : "";
      const behind = String(known?.versions_behind ?? 0);
      const ms = known === undefined ? "-" : formatDuration(known.p99 * 1000);
      return [`${actor}${self}`, String(head), behind, ms];
    });
    const table = [["ACTOR", "HEAD", "BEHIND", "LAG P99"], ...rows];
    for (const line of formatTable(table, ["left", "right", "right", "right"]))
      terminal.print(line);
    terminal.print(`gaps: ${gaps}, state: ${db.state_hash}`);
    return exitCodes.ok;
  });
}
