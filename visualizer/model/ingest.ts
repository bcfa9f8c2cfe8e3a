/**
 * Reads a trace (NDJSON, in pieces cut anywhere) into columns. It goes as far as the file is whole:
 * at the first line that cannot be right it stops, keeps everything before, and says where and why.
 */
import { ByteDictionary } from "./byte-dictionary.ts";
import { Columns } from "./columns.ts";
import { RowBuilder, VersionBuilder } from "./data-builder.ts";
import { IntList } from "./grow.ts";
import { IndexMap } from "./index-map.ts";
import { diskNames, dropReasons, Kind, kindNames, stateNames, viaNames } from "./kinds.ts";
import {
  DamagedLine,
  isNodeNumber,
  isObject,
  type JsonObject,
  LineFields,
  maxInt,
  parseLine,
} from "./line-fields.ts";
import { Field, type FieldName, LineScanner } from "./line-scanner.ts";
import { Labels, Nodes, TextNumbers } from "./names.ts";
import { SideBuilder } from "./side-builder.ts";
import { packPair, type Problem, type Trace, type TraceHeader } from "./trace.ts";

/** No whole line of a trace comes near this; a longer one is not a trace. */
const maxLineBytes = 64 * 1024 * 1024;
const newline = 0x0a;

export class TraceBuilder {
  #columns = new Columns();
  #dictionary = new ByteDictionary();
  #scanner = new LineScanner(this.#dictionary);
  #fields = new LineFields(this.#scanner, this.#dictionary);
  #labels = new Labels(this.#dictionary);
  #actors = new TextNumbers(this.#dictionary);
  #hashes = new TextNumbers(this.#dictionary);
  #nodes = new Nodes();
  #side = new SideBuilder();
  #versions = new VersionBuilder();
  #rows = new RowBuilder();
  #sendOf = new IndexMap();
  #kindOf = new IndexMap();
  #unknownKinds = new Map<string, number>();

  #headOffsets = new IntList();
  #headActor = new IntList();
  #headVersion = new IntList();
  /** By node: the head of each actor that it last reported. */
  #headsOf: IndexMap[] = [];

  readonly #originUs: number;
  #header: TraceHeader | null = null;
  #carry: Uint8Array | null = null;
  #lines = 0;
  #bytes = 0;
  #problem: Problem | null = null;
  #ended = false;

  /** @param originUs is taken from every time: where a live trace begins that has forgotten its beginning. */
  constructor(originUs = 0) {
    this.#originUs = originUs;
    for (const [code, name] of kindNames.entries())
      this.#kindOf.set(this.#dictionary.internText(name), code);
    this.#headOffsets.push(0);
  }

  get count(): number {
    return this.#columns.count;
  }

  /** Where reading stopped; nothing after it is taken. */
  get problem(): Problem | null {
    return this.#problem;
  }

  /** True once the first line was a header. */
  get begun(): boolean {
    return this.#header !== null;
  }

  push(bytes: Uint8Array): void {
    let start = 0;
    while (this.#problem === null) {
      const end = bytes.indexOf(newline, start);
      if (end < 0) break;
      if (this.#carry === null) this.#line(bytes, start, end);
      else {
        const whole = joined(this.#carry, bytes.subarray(start, end));
        this.#carry = null;
        this.#line(whole, 0, whole.length);
      }
      start = end + 1;
    }
    if (this.#problem !== null) return;
    const rest = bytes.subarray(start);
    if (rest.length > 0) this.#carry = joined(this.#carry, rest);
    if ((this.#carry?.length ?? 0) > maxLineBytes) this.#stop("damaged", "a line without end");
  }

  /** No more bytes will come: judges what is left without a newline. `cut`: the stream broke off. */
  end(cut: string | null = null): void {
    const rest = this.#carry;
    this.#carry = null;
    if (this.#problem !== null) return;
    if (rest !== null) {
      this.#line(rest, 0, rest.length);
      const problem = this.#problem as Problem | null;
      if (problem !== null)
        this.#problem = { ...problem, kind: "truncated", why: "the last line is cut" };
    } else if (cut !== null) this.#stop("truncated", cut);
    else if (this.#header === null) this.#stop("damaged", "the file is empty");
  }

  snapshot(): Trace {
    const { count, t, kind, node, peer, label, value, ref, aux } = this.#columns;
    return {
      header: this.#header ?? {
        trace: 1,
        source: "sim",
        seed: null,
        scenario: null,
        options: {},
        schema: [],
      },
      count,
      t: t.slice(0, count),
      kind: kind.slice(0, count),
      node: node.slice(0, count),
      peer: peer.slice(0, count),
      label: label.slice(0, count),
      value: value.slice(0, count),
      ref: ref.slice(0, count),
      aux: aux.slice(0, count),
      labels: [...this.#labels.list],
      nodes: this.#nodes.infos(),
      actors: this.#nodes.actors(this.#actors.texts),
      hashes: [...this.#hashes.texts],
      side: this.#side.lines(),
      versions: this.#versions.table(this.#actors.texts),
      heads: {
        offsets: this.#headOffsets.toArray(),
        actor: this.#headActor.toArray(),
        version: this.#headVersion.toArray(),
      },
      rows: this.#rows.table(),
      bytesRead: this.#bytes,
      unknownKinds: [...this.#unknownKinds],
      problem: this.#problem,
      ended: this.#ended,
    };
  }

  #stop(kind: Problem["kind"], why: string): void {
    this.#problem = { kind, line: this.#lines + 1, byte: this.#bytes, why };
  }

  #line(bytes: Uint8Array, start: number, end: number): void {
    try {
      if (this.#header === null) this.#readHeader(parseLine(bytes, start, end));
      else this.#event(bytes, start, end);
    } catch (error) {
      if (!(error instanceof DamagedLine)) throw error;
      this.#stop("damaged", error.message);
      return;
    }
    this.#lines++;
    this.#bytes += end - start + 1;
  }

  #readHeader(object: JsonObject): void {
    const { trace, source, seed, scenario, options, schema, nodes } = object;
    if (typeof trace !== "number") throw new DamagedLine("the first line is not a trace header");
    if (trace !== 1) throw new DamagedLine(`trace format ${trace}; this page reads format 1`);
    this.#header = {
      trace,
      source: source === "live" ? "live" : "sim",
      seed: typeof seed === "string" ? seed : null,
      scenario: typeof scenario === "string" ? scenario : null,
      options: isObject(options) ? options : {},
      schema: Array.isArray(schema) ? schema.filter((sql) => typeof sql === "string") : [],
    };
    if (Array.isArray(nodes)) for (const node of nodes) if (isObject(node)) this.#describe(node);
  }

  #describe(object: JsonObject): void {
    const { n, name, region, actor } = object;
    if (!isNodeNumber(n)) throw new DamagedLine("a node without its number n");
    this.#nodes.describe(
      n,
      typeof name === "string" ? name : `n${n}`,
      typeof region === "string" ? region : "",
    );
    if (typeof actor === "string") this.#nodes.writes(n, this.#actorOf(actor));
  }

  #actorOf(id: string): number {
    return this.#actors.number(this.#dictionary.internText(id));
  }

  #event(bytes: Uint8Array, start: number, end: number): void {
    const scanner = this.#scanner;
    let object: JsonObject | null = null;
    if (!scanner.scan(bytes, start, end)) {
      object = parseLine(bytes, start, end);
      scanner.fill(object);
    }
    const kindText = this.#fields.text("k");
    const kind = this.#kindOf.get(kindText);
    if (kind < 0) {
      const name = this.#dictionary.text(kindText);
      this.#unknownKinds.set(name, (this.#unknownKinds.get(name) ?? 0) + 1);
      return;
    }
    const t = this.#fields.number("t") - this.#originUs;
    const columns = this.#columns;
    if (columns.count > 0 && t < (columns.t[columns.count - 1] as number))
      throw new DamagedLine("time runs backwards");
    this.#ended = false;
    switch (kind) {
      case Kind.send:
      case Kind.recv:
      case Kind.drop:
        this.#message(kind, t);
        break;
      case Kind.member:
        this.#member(t);
        break;
      case Kind.commit:
        this.#side.add(bytes, start, end);
        this.#commit(t, object ?? parseLine(bytes, start, end));
        break;
      case Kind.apply:
      case Kind.buffer:
        this.#version(kind, t);
        break;
      case Kind.need:
        this.#need(t);
        break;
      case Kind.state:
        this.#state(t);
        break;
      default:
        this.#side.add(bytes, start, end);
        this.#other(kind, t, object ?? parseLine(bytes, start, end));
    }
  }

  #message(kind: number, t: number): void {
    const columns = this.#columns;
    const n = this.#node("n");
    const m = this.#fields.number("m");
    if (!Number.isSafeInteger(m) || m < 0) throw new DamagedLine("m is not a message id");
    const peer = this.#node(kind === Kind.recv ? "from" : "to");
    const send = kind === Kind.send ? -1 : this.#sendOf.get(m);
    const label = send >= 0 ? (columns.label[send] as number) : this.#label(kind !== Kind.drop);
    const at = columns.push(t, kind, n);
    columns.peer[at] = peer;
    columns.label[at] = label;
    columns.aux[at] = m;
    columns.ref[at] = send;
    if (kind === Kind.send) {
      columns.value[at] = Math.min(maxInt, this.#fields.number("bytes"));
      this.#sendOf.set(m, at);
      return;
    }
    columns.value[at] =
      kind === Kind.drop
        ? this.#fields.code("why", dropReasons)
        : send < 0
          ? 0
          : (columns.value[send] as number);
    if (send >= 0 && columns.ref[send] === -1) columns.ref[send] = at;
  }

  #label(required: boolean): number {
    const scanner = this.#scanner;
    if (scanner.isText(Field.plane) && scanner.isText(Field.msg))
      return this.#labels.number(
        scanner.texts[Field.plane] as number,
        scanner.texts[Field.msg] as number,
      );
    if (required) throw new DamagedLine("a message without plane or msg");
    return this.#labels.unknown();
  }

  #member(t: number): void {
    const about = this.#node("about");
    const inc = this.#fields.number("inc");
    const epoch = this.#fields.number("epoch");
    const state = this.#fields.code("state", stateNames);
    const at = this.#columns.push(t, Kind.member, this.#node("n"));
    this.#columns.peer[at] = about;
    this.#columns.label[at] = Math.max(0, state);
    this.#columns.value[at] = Math.min(maxInt, inc);
    this.#columns.aux[at] = epoch;
  }

  #version(kind: number, t: number): void {
    const n = this.#node("n");
    const actor = this.#actor();
    const version = this.#fields.version("version");
    const via = kind === Kind.apply ? Math.max(0, this.#fields.code("via", viaNames)) : 0;
    const pair =
      kind === Kind.apply
        ? packPair(this.#fields.number("won"), this.#fields.number("lost"))
        : packPair(this.#fields.number("have"), this.#fields.number("of"));
    const at = this.#columns.push(t, kind, n);
    this.#columns.peer[at] = actor;
    this.#columns.label[at] = via;
    this.#columns.value[at] = version;
    this.#columns.ref[at] = this.#versions.id(actor, version);
    this.#columns.aux[at] = pair;
  }

  #commit(t: number, object: JsonObject): void {
    const n = this.#node("n");
    const actor = this.#actor();
    const version = this.#fields.version("version");
    const { hlc, changes } = object;
    if (typeof hlc !== "string" || !/^[0-9a-f]{16}$/.test(hlc))
      throw new DamagedLine("a commit without its stamp hlc");
    const id = this.#versions.id(actor, version);
    const wrong = this.#rows.add(id, changes);
    if (wrong !== null) throw new DamagedLine(wrong);
    const at = this.#columns.push(t, Kind.commit, n);
    this.#columns.peer[at] = actor;
    this.#columns.value[at] = version;
    this.#columns.ref[at] = id;
    const stamp = [
      Number.parseInt(hlc.slice(0, 12), 16),
      Number.parseInt(hlc.slice(12), 16),
    ] as const;
    this.#versions.committed(id, at, this.#side.last, ...stamp);
    this.#nodes.writes(n, actor);
  }

  #need(t: number): void {
    const actor = this.#actor();
    const from = this.#fields.version("from");
    const to = this.#fields.version("to");
    const at = this.#columns.push(t, Kind.need, this.#node("n"));
    this.#columns.peer[at] = actor;
    this.#columns.value[at] = from;
    this.#columns.aux[at] = to;
  }

  #state(t: number): void {
    const scanner = this.#scanner;
    const hash = this.#fields.text("hash");
    if (!scanner.hasHeads()) throw new DamagedLine("a state without its heads");
    const n = this.#node("n");
    const gaps = this.#fields.number("gaps");
    const rows = this.#fields.number("rows");
    const heads = (this.#headsOf[n] ??= new IndexMap());
    let held = -gaps;
    for (let i = 0; i < scanner.headCount; i++) {
      const actor = this.#actors.number(scanner.headActors.at(i));
      const version = scanner.headVersions.at(i);
      held += version;
      if (heads.get(actor) === version) continue;
      heads.set(actor, version);
      this.#headActor.push(actor);
      this.#headVersion.push(version);
    }
    const at = this.#columns.push(t, Kind.state, n);
    this.#columns.peer[at] = Math.min(maxInt, rows);
    this.#columns.value[at] = this.#hashes.number(hash);
    this.#columns.ref[at] = this.#headOffsets.length - 1;
    this.#columns.aux[at] = packPair(Math.max(0, held), gaps);
    this.#headOffsets.push(this.#headActor.length);
  }

  #other(kind: number, t: number, object: JsonObject): void {
    const global = kind === Kind.fault || kind === Kind.lift || kind === Kind.end;
    const n = !global && isNodeNumber(object["n"]) ? object["n"] : -1;
    if (n < 0 && !global && kind !== Kind.violation)
      throw new DamagedLine(`${kindNames[kind]} without its node n`);
    if (n >= 0) this.#nodes.touch(n);
    if (kind === Kind.join) this.#describe(object);
    if (kind === Kind.restart && typeof object["actor"] === "string")
      this.#nodes.writes(n, this.#actorOf(object["actor"]));
    const at = this.#columns.push(t, kind, n);
    this.#columns.ref[at] = this.#side.last;
    if (kind === Kind.snapshot) this.#columns.peer[at] = this.#node("from");
    if (kind === Kind.crash)
      this.#columns.label[at] = Math.max(
        0,
        (diskNames as readonly unknown[]).indexOf(object["disk"]),
      );
    if (kind === Kind.end) this.#ended = true;
  }

  #node(name: FieldName): number {
    const n = this.#fields.node(name);
    this.#nodes.touch(n);
    return n;
  }

  #actor(): number {
    return this.#actors.number(this.#fields.text("actor"));
  }
}

function joined(head: Uint8Array | null, tail: Uint8Array): Uint8Array {
  if (head === null) return tail.slice();
  const whole = new Uint8Array(head.length + tail.length);
  whole.set(head);
  whole.set(tail, head.length);
  return whole;
}
