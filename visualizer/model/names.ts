/** The small dictionaries of a trace: nodes, actors, message labels, state hashes. */
import type { ByteDictionary } from "./byte-dictionary.ts";
import { IndexMap } from "./index-map.ts";
import { planeNames } from "./kinds.ts";
import type { ActorInfo, Label, NodeInfo } from "./trace.ts";

/** Interned text → dense number of its own kind (actors, hashes). */
export class TextNumbers {
  readonly #dictionary: ByteDictionary;
  readonly #numberOf = new IndexMap();
  readonly texts: string[] = [];

  constructor(dictionary: ByteDictionary) {
    this.#dictionary = dictionary;
  }

  number(textId: number): number {
    const known = this.#numberOf.get(textId);
    if (known >= 0) return known;
    this.#numberOf.set(textId, this.texts.length);
    return this.texts.push(this.#dictionary.text(textId)) - 1;
  }
}

/** At most this many message labels: a column holds 16 bits. Past it, all share the last one. */
const maxLabels = 65_535;

export class Labels {
  readonly #dictionary: ByteDictionary;
  readonly #byPlane: IndexMap[] = [];
  readonly list: Label[] = [];

  constructor(dictionary: ByteDictionary) {
    this.#dictionary = dictionary;
  }

  number(planeText: number, msgText: number): number {
    const byMsg = (this.#byPlane[planeText] ??= new IndexMap());
    const known = byMsg.get(msgText);
    if (known >= 0) return known;
    if (this.list.length > maxLabels) return maxLabels;
    const plane = (planeNames as readonly string[]).indexOf(this.#dictionary.text(planeText));
    byMsg.set(msgText, this.list.length);
    return this.list.push({ plane, msg: this.#dictionary.text(msgText) }) - 1;
  }

  /** For a message whose send was never seen. */
  unknown(): number {
    return this.number(this.#dictionary.internText(""), this.#dictionary.internText("message"));
  }
}

export class Nodes {
  #infos: NodeInfo[] = [];
  #actorNode: number[] = [];

  /** An event speaks of node `n`. */
  touch(n: number): void {
    if (this.#infos[n]?.known !== true) this.describe(n, `n${n}`, "");
  }

  describe(n: number, name: string, region: string): void {
    while (this.#infos.length <= n)
      this.#infos.push({ n: this.#infos.length, name: "", region: "", known: false });
    this.#infos[n] = { n, name, region, known: true };
  }

  writes(n: number, actor: number): void {
    this.#actorNode[actor] = n;
  }

  infos(): readonly NodeInfo[] {
    return [...this.#infos];
  }

  actors(ids: readonly string[]): readonly ActorInfo[] {
    return ids.map((id, i) => ({ id, node: this.#actorNode[i] ?? -1 }));
  }
}
