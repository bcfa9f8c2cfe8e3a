/**
 * What a node tells Prometheus. Names are `patina_<what>_<unit>` and do not change; `docs/metrics.md`
 * says of each what it means and what to do about it. What the node knows anyway is read when it is
 * asked for; only what happens at the HTTP API is counted as it happens.
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { NodeStatus } from "../agent/node-service.ts";
import { counterHelp } from "./counter-help.ts";

/** Seconds, from what a small query takes to what a person gives up on. */
const durationBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5, 30];
const nanosecondsPerSecond = 1e9;
/** How often the main loop is looked at, in ms: each look wakes the process. */
const loopLookMs = 100;
/** A name that Prometheus takes. */
const nameForm = /^[a-z][a-z0-9_]*$/;

interface EndpointCounts {
  readonly byStatus: Map<number, Counter.Internal>;
  readonly duration: Histogram.Internal<"endpoint">;
}

export class NodeMetrics {
  readonly #registry = new Registry();
  readonly #loop = monitorEventLoopDelay({ resolution: loopLookMs });
  readonly #endpoints = new Map<string, EndpointCounts>();
  readonly #requests: Counter<"endpoint" | "status">;
  readonly #durations: Histogram<"endpoint">;
  readonly #refused: Counter<"why">;
  readonly #rows: Counter;
  readonly #expiry: Gauge<"file">;
  readonly #inFlight: Gauge;
  readonly #streams: Gauge;
  #open = (): { readonly requests: number; readonly streams: number } => {
    return { requests: 0, streams: 0 };
  };
  readonly #gauges = new Map<string, Gauge>();
  readonly #totals = new Map<string, { readonly counter: Counter; last: number }>();

  constructor() {
    const registers = [this.#registry];
    this.#requests = new Counter({
      name: "patina_http_requests_total",
      help: "Requests answered.",
      labelNames: ["endpoint", "status"],
      registers,
    });
    this.#durations = new Histogram({
      name: "patina_http_request_duration_seconds",
      help: "From the whole request read to the whole answer written.",
      labelNames: ["endpoint"],
      buckets: durationBuckets,
      registers,
    });
    this.#refused = new Counter({
      name: "patina_http_refused_total",
      help: "Requests turned away: no or a wrong token, a right that is missing, too many at once.",
      labelNames: ["why"],
      registers,
    });
    this.#rows = new Counter({
      name: "patina_http_rows_total",
      help: "Rows sent to clients.",
      registers,
    });
    this.#expiry = new Gauge({
      name: "patina_certificate_expiry_timestamp_seconds",
      help: "When the certificate in this file ends, in seconds since 1970.",
      labelNames: ["file"],
      registers,
    });
    this.#inFlight = this.#gauge("patina_http_requests_in_flight", "Requests under way.");
    this.#streams = this.#gauge("patina_http_streams", "Live streams open: watches and traces.");
    this.#loop.enable();
  }

  /** One request was answered. @param endpoint the route, not the path. */
  answered(endpoint: string, status: number, seconds: number): void {
    let counts = this.#endpoints.get(endpoint);
    if (counts === undefined) {
      counts = { byStatus: new Map(), duration: this.#durations.labels({ endpoint }) };
      this.#endpoints.set(endpoint, counts);
    }
    let count = counts.byStatus.get(status);
    if (count === undefined) {
      count = this.#requests.labels({ endpoint, status: String(status) });
      counts.byStatus.set(status, count);
    }
    count.inc();
    counts.duration.observe(seconds);
  }

  refused(why: string): void {
    this.#refused.inc({ why });
  }

  /** When a certificate in use ends: seconds since 1970. */
  certificateExpires(file: string, seconds: number): void {
    this.#expiry.set({ file }, seconds);
  }

  rowsSent(rows: number): void {
    this.#rows.inc(rows);
  }

  /** @param count how many requests and live streams are open at the moment. */
  watchOpen(count: () => { readonly requests: number; readonly streams: number }): void {
    this.#open = count;
  }

  /** Everything, in Prometheus' text format. */
  async text(status: NodeStatus): Promise<string> {
    const { requests, streams } = this.#open();
    this.#inFlight.set(requests);
    this.#streams.set(streams);
    this.#takeStatus(status);
    this.#takeProcess();
    return await this.#registry.metrics();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  close(): void {
    this.#loop.disable();
    this.#registry.clear();
  }

  #takeStatus(status: NodeStatus): void {
    const { db, members, lag } = status;
    this.#set(
      "patina_ready",
      "1 when the node is ready for requests.",
      status.unready === null ? 1 : 0,
    );
    this.#set("patina_uptime_seconds", "Since the node started.", status.uptimeSeconds);
    this.#set("patina_gaps", "Versions known to exist and not yet held.", status.gaps);
    this.#set("patina_apply_queue", "Changes that wait to be applied.", status.queueSize);
    this.#set(
      "patina_propagation_lag_p99_seconds",
      "From commit elsewhere to apply here, 99th percentile over all authors.",
      status.p99Lag,
    );
    this.#set("patina_db_bytes", "Size of the database file.", db.bytes);
    this.#set("patina_db_wal_bytes", "Size of its write-ahead log.", db.walBytes);
    this.#set("patina_db_rows", "Living rows of replicated tables.", db.rows);
    this.#set(
      "patina_db_conflicts",
      "Rows that break a constraint after a merge or stand aside.",
      db.conflicts,
    );
    this.#set(
      "patina_db_quarantined_versions",
      "Versions that wait for a schema that knows them.",
      db.quarantined,
    );
    const states = this.#labelled("patina_members", "Members by state.", ["state"]);
    for (const [state, count] of Object.entries(members)) states.set({ state }, count);
    const heads = this.#labelled("patina_head_version", "Highest version held of an author.", [
      "actor",
    ]);
    for (const [actor, version] of Object.entries(status.heads)) heads.set({ actor }, version);
    this.#takeLag(lag);
    this.#takeQueues(status.queues);
    for (const [name, value] of Object.entries(status.counters)) this.#takeCounter(name, value);
    const info = this.#labelled("patina_info", "Always 1; what runs here.", [
      "version",
      "name",
      "actor",
      "region",
      "schema",
    ]);
    const { version, name, actorId, region, schema } = status;
    info.set({ version, name, actor: actorId, region, schema: schema.hash }, 1);
  }

  #takeLag(lag: NodeStatus["lag"]): void {
    const seconds = this.#labelled(
      "patina_peer_lag_seconds",
      "From commit at an author to apply here.",
      ["actor", "quantile"],
    );
    const behind = this.#labelled(
      "patina_peer_versions_behind",
      "Versions of an author that are known to exist and not applied here.",
      ["actor"],
    );
    for (const { actorId: actor, p50, p99, versionsBehind } of lag) {
      seconds.set({ actor, quantile: "0.5" }, p50);
      seconds.set({ actor, quantile: "0.99" }, p99);
      behind.set({ actor }, versionsBehind);
    }
  }

  #takeQueues(queues: NodeStatus["queues"]): void {
    const sizes = this.#labelled("patina_queue_size", "What waits in a queue.", ["queue"]);
    const bounds = this.#labelled("patina_queue_max", "What a queue may hold.", ["queue"]);
    for (const { name: queue, size, max } of queues) {
      sizes.set({ queue }, size);
      bounds.set({ queue }, max);
    }
  }

  /** What a part of the node counts by itself: `_total` names a counter, anything else a gauge. */
  #takeCounter(name: string, value: number): void {
    if (!nameForm.test(name) || !Number.isFinite(value)) return;
    const full = `patina_${name}`;
    if (!name.endsWith("_total")) {
      this.#set(full, helpOf(name), value);
      return;
    }
    let total = this.#totals.get(full);
    if (total === undefined) {
      const counter = new Counter({ name: full, help: helpOf(name), registers: [this.#registry] });
      total = { counter, last: 0 };
      this.#totals.set(full, total);
    }
    // A part that was started anew counts from 0 again.
    total.counter.inc(value >= total.last ? value - total.last : value);
    total.last = value;
  }

  #takeProcess(): void {
    const loop = this.#loop;
    this.#set(
      "patina_event_loop_delay_p99_seconds",
      "How late the main loop is, since the last time it was asked.",
      lateSeconds(loop.percentile(99)),
    );
    this.#set(
      "patina_event_loop_delay_max_seconds",
      "The latest that the main loop was, since the last time it was asked.",
      lateSeconds(loop.max),
    );
    loop.reset();
    const { rss, heapUsed } = process.memoryUsage();
    this.#set("patina_process_resident_bytes", "Memory of the main process.", rss);
    this.#set("patina_process_heap_bytes", "Of it, JavaScript's heap in use.", heapUsed);
    const { user, system } = process.cpuUsage();
    this.#takeCounter("process_cpu_seconds_total", (user + system) / 1e6);
  }

  #set(name: string, help: string, value: number): void {
    this.#gauge(name, help).set(value);
  }

  #gauge(name: string, help: string): Gauge {
    let gauge = this.#gauges.get(name);
    if (gauge === undefined) {
      gauge = new Gauge({ name, help, registers: [this.#registry] });
      this.#gauges.set(name, gauge);
    }
    return gauge;
  }

  /** Emptied: what is not told any more is not shown any more. */
  #labelled<T extends string>(name: string, help: string, labelNames: readonly T[]): Gauge<T> {
    const known = this.#registry.getSingleMetric(name) as Gauge<T> | undefined;
    known?.reset();
    return (
      known ??
      new Gauge({ name, help, labelNames: [...labelNames] as T[], registers: [this.#registry] })
    );
  }
}

/** A counter that is new here is told by its name. */
function helpOf(name: string): string {
  const known = counterHelp[name];
  if (known !== undefined) return known;
  const text = name.replaceAll("_", " ");
  return `${(text[0] ?? "").toUpperCase()}${text.slice(1)}.`;
}

/** @param nanoseconds between two looks: what goes beyond their interval is delay. */
function lateSeconds(nanoseconds: number): number {
  return Math.max(0, nanoseconds / nanosecondsPerSecond - loopLookMs / 1000);
}
