/** A trace that is open: its columns, its index, and the readers that look things up in them. */
import { RowReader } from "../model/row-reader.ts";
import { MembershipMatrix } from "../model/members.ts";
import { endTime, type Trace } from "../model/trace.ts";
import type { TraceIndex } from "../model/trace-index.ts";
import type { Source } from "./source.ts";

export class Loaded {
  readonly trace: Trace;
  readonly index: TraceIndex;
  readonly source: Source;
  readonly name: string;
  readonly rows: RowReader;
  readonly members: MembershipMatrix;
  readonly end: number;
  /** Nodes that the trace knows, by number, of a live trace by name: the lanes. */
  readonly lanes: readonly number[];
  /** Those of them whose data the trace tells. */
  readonly told: readonly number[];
  /** Node number → lane, −1 for none. */
  readonly laneOf: Int32Array;
  /** Of a run in this page: what the simulator said of it. */
  readonly traceHash: string | null;

  constructor(
    trace: Trace,
    index: TraceIndex,
    source: Source,
    name: string,
    traceHash: string | null = null,
  ) {
    this.trace = trace;
    this.index = index;
    this.source = source;
    this.name = name;
    this.traceHash = traceHash;
    this.rows = new RowReader(trace);
    this.members = new MembershipMatrix(trace, index.memberEvents);
    this.end = Math.max(1, endTime(trace));
    const nodes = trace.nodes.filter(({ known }) => known);
    // Numbers of a live trace say only who was heard of first.
    if (trace.header.source === "live")
      nodes.sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
    this.lanes = nodes.map(({ n }) => n);
    this.told = this.lanes.filter((n) => index.told[n] === 1);
    this.laneOf = new Int32Array(trace.nodes.length).fill(-1);
    for (const [lane, n] of this.lanes.entries()) this.laneOf[n] = lane;
  }
}
