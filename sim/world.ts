/**
 * The nodes of a run, the network between them, and what is known about both: turns kernel events
 * into calls, keeps the trace, and tells the checks what happened.
 */
import { assert } from "../core/base/assert.ts";
import { type Address, address, type NodeId } from "../core/base/ids.ts";
import type { Rng } from "../core/base/rng.ts";
import { hashOfSummary } from "../core/crdt/state-summary.ts";
import type { Notice, Plane, StoreRequest, StoreResponse } from "../core/node/event.ts";
import type { Chunk, Op, StoreSummary } from "../core/node/store.ts";
import { Directory } from "../core/swim/directory.ts";
import type { Identity } from "../core/swim/identity.ts";
import { ChunkPool } from "../core/sync/chunk-pool.ts";
import { equalHashes } from "../core/wire/wire-hash.ts";
import type { Check, CheckContext, CheckName } from "./check/check.ts";
import { History } from "./check/history.ts";
import { Agreement } from "./agreement.ts";
import { evState } from "./event-kinds.ts";
import { SimNode } from "./host/node.ts";
import type { Task } from "./host/task.ts";
import { WallClock } from "./host/wall-clock.ts";
import type { World } from "./host/world-port.ts";
import type { Kernel } from "./kernel.ts";
import { createLatencyModel } from "./network/latency.ts";
import { Network, type NetworkPort } from "./network/network.ts";
import { type DropReason, type Packet, planeIndex } from "./network/packet.ts";
import { regionIndex } from "./network/regions.ts";
import type { DiskFate, NodeSpec, Scenario } from "./scenario/scenario.ts";
import type { StoreFactory } from "./store-factory.ts";
import type { SimTrace } from "./trace.ts";
import { Traffic } from "./traffic.ts";

/** A node's data state is written at most this often. */
const stateEveryUs = 100_000;
/** Violations kept; a run that goes wrong in so many ways says no more by further ones. */
const maxViolations = 1000;

export interface Violation {
  readonly check: CheckName;
  readonly atMs: number;
  readonly node?: number;
  readonly detail: string;
}

/** A random transaction as it ran: what shrinking starts from. */
export interface RanTask {
  readonly atUs: number;
  readonly node: number;
  readonly ops: readonly Op[];
}

export class SimWorld implements World, NetworkPort, CheckContext {
  readonly kernel: Kernel;
  readonly network: Network;
  readonly trace: SimTrace;
  readonly scenario: Scenario;
  readonly nodes: SimNode[] = [];
  readonly busyUntilUs: number[] = [];
  readonly history = new History();
  readonly traffic = new Traffic();
  readonly agreement: Agreement;
  readonly violations: Violation[] = [];
  readonly writes = { acked: 0, failed: 0 };
  /** Filled when the run is recorded. */
  readonly ranTasks: RanTask[] | null;
  /** When the cluster was last disturbed: by a write, a fault begun or lifted, a node's coming or going. */
  disturbedUs = 0;
  /** A handler threw; the run ends. */
  broken = false;
  rotted = false;
  hostile = false;
  #checks: readonly Check[] = [];
  // Those that want to be told of what happens by the thousand.
  #storedChecks: readonly Check[] = [];
  #noticedChecks: readonly Check[] = [];
  #receivedChecks: readonly Check[] = [];
  readonly #reported = new Set<string>();
  readonly #rng: Rng;
  readonly #stores: StoreFactory;
  readonly #shared = { directory: new Directory(), chunks: new ChunkPool() };
  /** Each node's present life, −1 while it is down: at hand, since every message is judged by two of them. */
  readonly #boots: number[] = [];
  readonly #addresses: Address[] = [];
  /** Where several nodes have one address: all of them. */
  readonly #sharers = new Map<Address, SimNode[]>();
  readonly #sharedRng: Rng;
  readonly #leavers: SimNode[] = [];

  constructor(
    scenario: Scenario,
    kernel: Kernel,
    trace: SimTrace,
    stores: StoreFactory,
    rng: Rng,
    record: boolean,
  ) {
    this.scenario = scenario;
    this.kernel = kernel;
    this.trace = trace;
    this.ranTasks = record ? [] : null;
    this.#stores = stores;
    this.#rng = rng;
    this.#sharedRng = rng.fork("shared");
    this.agreement = new Agreement(kernel);
    const { network } = scenario;
    const latency = createLatencyModel(network.latencyMs, (n) =>
      regionIndex(this.nodes[n]?.region ?? ""),
    );
    this.network = new Network(
      kernel,
      {
        loss: network.loss,
        duplicate: network.duplicate,
        corrupt: network.corrupt,
        bytesPerSec: network.bandwidthBytesPerSec ?? 0,
      },
      latency,
      rng.fork("network"),
      this,
    );
  }

  get checks(): readonly Check[] {
    return this.#checks;
  }

  set checks(checks: readonly Check[]) {
    this.#checks = checks;
    this.#storedChecks = checks.filter((check) => check.stored !== undefined);
    this.#noticedChecks = checks.filter((check) => check.noticed !== undefined);
    this.#receivedChecks = checks.filter((check) => check.received !== undefined);
  }

  apart(a: number, b: number): boolean {
    return this.network.cuts.apart(a, b);
  }

  /** Makes a machine; it does not run yet. @param twin the node whose address it takes; null: its own. */
  addNode(spec: NodeSpec, twin: number | null = null): SimNode {
    const n = this.nodes.length;
    const rng = this.#rng.fork(`node/${n}`);
    const { skewMsMax, driftPpmMax } = this.scenario.clocks;
    const clockRng = rng.fork("clock");
    const skew = (2 * clockRng.unit() - 1) * skewMsMax;
    const drift = (2 * clockRng.unit() - 1) * driftPpmMax;
    const disk = this.#stores.disk(n);
    this.busyUntilUs.push(0);
    const at = twin === null ? address(`n${n}`) : this.addressOf(twin);
    const node = new SimNode(this, n, at, spec, disk, new WallClock(skew, drift), rng);
    this.nodes.push(node);
    if (twin !== null) this.#share(node);
    this.#addresses.push(node.address);
    this.#boots.push(-1);
    return node;
  }

  /** Opens a node's disk and gives it an identity; `begin` must follow. */
  boot(node: SimNode): void {
    node.boots(this.scenario.schema, this.scenario, this.#shared);
    this.#boots[node.n] = node.boot;
    this.agreement.changed(node);
    for (const check of this.checks) check.booted?.(node);
  }

  begin(node: SimNode, seeds: readonly Address[], known: readonly Identity[]): void {
    this.disturbed();
    node.begin(seeds, known);
  }

  crash(node: SimNode, fate: DiskFate): void {
    for (const check of this.checks) check.dying?.(node, fate);
    this.#boots[node.n] = -1;
    node.crash(fate);
    node.statePending = false;
    this.agreement.gone(node);
    this.disturbed();
  }

  leave(node: SimNode): void {
    node.leave();
    this.agreement.gone(node);
    this.disturbed();
  }

  disturbed(): void {
    this.disturbedUs = this.kernel.nowUs;
  }

  // What the network asks and tells.

  bootOf(n: number): number {
    return this.#boots[n] as number;
  }

  sent(packet: Packet): void {
    this.traffic.count(packet.plane, packet.kind, packet.bytes.length);
    this.trace.send(this.kernel.nowUs, packet);
  }

  arrived(packet: Packet): void {
    (this.nodes[packet.to] as SimNode).arrived(packet);
  }

  dropped(packet: Packet, why: DropReason): void {
    this.trace.drop(this.kernel.nowUs, packet, why);
  }

  unreachable(from: number, to: number, plane: number): void {
    const planeName: Plane = plane === 0 ? "swim" : plane === 1 ? "gossip" : "sync";
    (this.nodes[from] as SimNode).signal({
      type: "unreachable",
      to: this.addressOf(to),
      plane: planeName,
    });
  }

  // What the nodes ask and tell.

  numberOf(at: Address): number {
    const n = numberIn(at);
    return this.#addresses[n] === at ? n : -1;
  }

  addressOf(n: number): Address {
    return this.#addresses[n] ?? address(`n${n}`);
  }

  receiverOf(at: Address, from: SimNode): number {
    const n = this.numberOf(at);
    if (this.#sharers.size === 0) return n;
    const up = this.#sharers.get(at)?.filter((node) => node !== from && node.replica !== null);
    if (up === undefined || up.length === 0) return n;
    return (up[this.#sharedRng.below(up.length)] as SimNode).n;
  }

  /** Which of the nodes at an address is meant. */
  #bearerOf(at: Address, nodeId: NodeId): number {
    const sharers = this.#sharers.get(at);
    return sharers?.find((node) => node.nodeId === nodeId)?.n ?? this.numberOf(at);
  }

  #share(node: SimNode): void {
    const first = this.nodes[this.numberOf(node.address)] as SimNode;
    this.#sharers.set(node.address, [...(this.#sharers.get(node.address) ?? [first]), node]);
  }

  received(packet: Packet): void {
    for (const check of this.#receivedChecks) check.received?.(packet);
    this.trace.recv(this.kernel.nowUs, packet);
  }

  nobodyAt(node: SimNode, to: Address, plane: Plane): void {
    // An address that is nobody's is as a node that is down, numbered past all others.
    const n = this.numberOf(to);
    if (n >= 0) this.network.sendNowhere(node.n, n, planeIndex[plane]);
    else node.signal({ type: "unreachable", to, plane });
  }

  committed(node: SimNode, task: Task, chunks: readonly Chunk[], summary: StoreSummary): void {
    this.writes.acked++;
    this.disturbed();
    if (task.type === "ops" && task.planned !== true) {
      this.ranTasks?.push({ atUs: this.kernel.nowUs, node: node.n, ops: task.ops });
    }
    if (chunks.length === 0) return;
    this.trace.commit(this.kernel.nowUs, node.n, chunks);
    if (this.#checks.length > 0) this.history.record(node.n, this.kernel.nowUs, chunks);
    for (const check of this.checks) check.committed?.(node, chunks);
    node.dirtied();
    this.#summarised(node, summary);
  }

  writeFailed(_node: SimNode): void {
    this.writes.failed++;
  }

  stored(node: SimNode, request: StoreRequest, response: StoreResponse): void {
    for (const check of this.#storedChecks) check.stored?.(node, request, response);
    if (response.type === "receive" && request.type === "receive") {
      const t = this.kernel.nowUs;
      for (const outcome of response.versions) {
        const { actor, version } = outcome;
        if (outcome.type === "applied") {
          this.trace.apply(t, node.n, actor, version, request.via, outcome.won, outcome.lost);
        } else if (outcome.type === "buffered") {
          this.trace.buffer(t, node.n, actor, version, outcome.have, outcome.of);
        }
      }
      node.dirtied();
      this.#summarised(node, response.summary);
    } else if (response.type === "mergeRows") {
      node.dirtied();
      this.#summarised(node, response.summary);
    }
  }

  noticed(node: SimNode, notice: Notice): void {
    for (const check of this.#noticedChecks) check.noticed?.(node, notice);
    const t = this.kernel.nowUs;
    switch (notice.type) {
      case "member": {
        const about = this.#bearerOf(notice.about, notice.nodeId);
        if (about < 0) return;
        this.trace.member(t, node.n, about, notice.state, notice.incarnation, notice.epoch);
        return;
      }
      case "need":
        this.trace.need(t, node.n, notice.actor, notice.from, notice.to);
        return;
      case "renewed":
        node.epoch = notice.epoch;
        node.disk.saveEpoch(notice.epoch);
        return;
      case "left":
        this.#leavers.push(node);
        return;
      default:
        return;
    }
  }

  checkpointed(node: SimNode): void {
    for (const check of this.checks) check.checkpointed?.(node);
  }

  broke(node: SimNode, error: unknown): void {
    const text = error instanceof Error ? `${error.message} (${where(error)})` : String(error);
    this.broken = true;
    this.report("no-crash", node.n, text);
  }

  /** Nodes that have said farewell stop between two events. */
  stopLeavers(): void {
    if (this.#leavers.length === 0) return;
    for (const node of this.#leavers.splice(0)) if (node.leaving) this.stop(node);
  }

  stop(node: SimNode): void {
    for (const check of this.checks) check.dying?.(node, "left");
    this.#boots[node.n] = -1;
    node.stop();
    node.statePending = false;
  }

  report(check: CheckName, node: number | null, detail: string): void {
    const key = `${check}/${node}`;
    if (this.#reported.has(key) || this.violations.length >= maxViolations) return;
    this.#reported.add(key);
    const atMs = this.kernel.nowUs / 1000;
    this.violations.push(node === null ? { check, atMs, detail } : { check, atMs, node, detail });
    const t = this.kernel.nowUs;
    this.trace.write(
      node === null
        ? { t, k: "violation", check, detail }
        : { t, k: "violation", n: node, check, detail },
    );
  }

  /** The `state` line of a node. */
  tellState(node: SimNode): void {
    node.statePending = false;
    if (node.replica === null) return;
    const { nowUs } = this.kernel;
    node.stateToldUs = nowUs;
    this.trace.state(nowUs, node.n, node.summary, node.replica.ledger);
  }

  /** The host looked over a node's store, as it does now and then, and tells the replica what it found. */
  lookedOver(node: SimNode): void {
    assert(node.store !== null, "a store that is open is looked over");
    const summary = node.store.summary();
    this.#summarised(node, summary);
    node.signal({ type: "committed", chunks: [], summary });
  }

  #summarised(node: SimNode, summary: StoreSummary): void {
    assert(node.store !== null, "a store that answers is open");
    const before = node.summary;
    node.summary = summary;
    if (!equalSummaries(before, summary)) {
      this.traffic.stateChanges++;
      this.agreement.changed(node);
    }
    if (node.statePending) return;
    // At once at the earliest: by then the replica's books are in step with the store.
    node.statePending = true;
    this.kernel.schedule(node.stateToldUs + stateEveryUs, evState, node.n, 0, node.boot, null);
  }
}

/** The number in an address `n123`, without looking it up; −1 where there is none. */
function numberIn(at: Address): number {
  let n = 0;
  for (let i = 1; i < at.length; i++) {
    const digit = at.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return -1;
    n = n * 10 + digit;
  }
  return at.length > 1 ? n : -1;
}

function equalSummaries(a: StoreSummary, b: StoreSummary): boolean {
  return a === b || equalHashes(hashOfSummary(a), hashOfSummary(b));
}

/** Where an error came from, without the machine's paths: the same text everywhere. */
function where(error: Error): string {
  const line = (error.stack ?? "").split("\n").find((l) => /\/(core|sim|runtime)\//.test(l)) ?? "";
  const match = /\/((?:core|sim|runtime)\/[^:)]+)/.exec(line);
  return match?.[1] ?? "unknown place";
}
