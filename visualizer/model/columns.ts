import { grown } from "./grow.ts";

/** The event columns while a trace is read; see `Trace` for what each holds by kind. */
export class Columns {
  count = 0;
  t = new Float64Array(1024);
  kind = new Uint8Array(1024);
  node = new Int32Array(1024);
  peer = new Int32Array(1024);
  label = new Uint16Array(1024);
  value = new Int32Array(1024);
  ref = new Int32Array(1024);
  aux = new Float64Array(1024);

  /** Appends an event with nothing in its other columns; its index. */
  push(t: number, kind: number, node: number): number {
    const at = this.count;
    if (at === this.t.length) this.#grow(at + 1);
    this.count = at + 1;
    this.t[at] = t;
    this.kind[at] = kind;
    this.node[at] = node;
    this.peer[at] = -1;
    this.label[at] = 0;
    this.value[at] = 0;
    this.ref[at] = -1;
    this.aux[at] = 0;
    return at;
  }

  #grow(needed: number): void {
    this.t = grown(this.t, needed);
    this.kind = grown(this.kind, this.t.length);
    this.node = grown(this.node, this.t.length);
    this.peer = grown(this.peer, this.t.length);
    this.label = grown(this.label, this.t.length);
    this.value = grown(this.value, this.t.length);
    this.ref = grown(this.ref, this.t.length);
    this.aux = grown(this.aux, this.t.length);
  }
}
