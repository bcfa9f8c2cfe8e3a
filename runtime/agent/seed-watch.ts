/**
 * Keeps the seeds of a node right: names in `gossip.bootstrap` are looked up at the start, again
 * while one of them is not known, and again while the node is alone, so that a cluster whose machines
 * have all got other addresses is found by its names. Addresses need no looking up and are told once.
 * A name by which a member calls itself is its own seed: its addresses would look like nodes that
 * were never met, and be knocked at for ever.
 */
import type { Address } from "../../core/base/ids.ts";
import { type FindAddresses, hasNames, resolveSeeds, type Seeds } from "./seeds.ts";

export interface SeedWatchOptions {
  readonly bootstrap: readonly string[];
  /** What peers dial this node by. */
  readonly self: Address;
  /** Whether a member, alive or not, is known by this address. */
  knows(address: Address): boolean;
  /** Nobody else is known to be alive. */
  alone(): boolean;
  /** All seeds, whenever they are others than those told before; the first time in any case. */
  tell(seeds: readonly Address[]): void;
  /** A name could not be looked up, told once until it can: null. */
  failing(name: string, why: string | null): void;
  readonly find?: FindAddresses;
  readonly times?: Partial<SeedTimes>;
}

export interface SeedTimes {
  /** A name that is not known is looked up again after this long, doubled up to… */
  readonly retryMs: number;
  /** …this, while the node is alone. */
  readonly aloneMs: number;
  /** In company only names that are not known are looked up. */
  readonly companyMs: number;
}

/** Names of containers and instances change within seconds; resolvers answer such a question in one. */
const usual: SeedTimes = { retryMs: 1000, aloneMs: 10_000, companyMs: 60_000 };

export class SeedWatch {
  readonly #options: SeedWatchOptions;
  readonly #times: SeedTimes;
  /** What each name, or address, of the configuration meant when it was known last. */
  readonly #found = new Map<Address, readonly Address[]>();
  readonly #failing = new Set<string>();
  #told: readonly Address[] | null = null;
  #retryMs: number;
  #lookedMs = 0;
  #timer: NodeJS.Timeout | null = null;
  #stopped = false;

  constructor(options: SeedWatchOptions) {
    this.#options = options;
    this.#times = { ...usual, ...options.times };
    this.#retryMs = this.#times.retryMs;
  }

  /** Resolves when the seeds were looked up and told for the first time. */
  async start(): Promise<void> {
    await this.#look();
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  async #look(): Promise<void> {
    const { bootstrap, self, find } = this.#options;
    const seeds = await resolveSeeds(bootstrap, self, find);
    if (this.#stopped) return;
    this.#lookedMs = performance.now();
    this.#note(seeds.failed);
    // The addresses that a name had may still be right while nobody can tell them.
    for (const [name, addresses] of seeds.found) this.#found.set(name, addresses);
    this.#tell();
    if (hasNames(bootstrap)) this.#schedule();
  }

  #tell(): void {
    const options = this.#options;
    const seeds = new Set<Address>();
    for (const [name, addresses] of this.#found) {
      if (options.knows(name)) seeds.add(name);
      else for (const address of addresses) seeds.add(address);
    }
    seeds.delete(options.self);
    const sorted = [...seeds].sort();
    if (this.#told !== null && equal(sorted, this.#told)) return;
    this.#told = sorted;
    options.tell(sorted);
  }

  #note(failed: Seeds["failed"]): void {
    const now = new Set(failed.map(({ name }) => name));
    for (const { name, why } of failed) {
      if (!this.#failing.has(name)) this.#options.failing(name, why);
      this.#failing.add(name);
    }
    for (const name of this.#failing) {
      if (now.has(name)) continue;
      this.#failing.delete(name);
      this.#options.failing(name, null);
    }
  }

  #schedule(): void {
    const { retryMs, aloneMs } = this.#times;
    this.#retryMs = this.#failing.size === 0 ? retryMs : Math.min(this.#retryMs * 2, aloneMs);
    const waitMs = this.#failing.size === 0 ? aloneMs : this.#retryMs;
    this.#timer = setTimeout(() => this.#due(), waitMs);
    this.#timer.unref();
  }

  #due(): void {
    const sinceMs = performance.now() - this.#lookedMs;
    const due =
      this.#options.alone() || (this.#failing.size > 0 && sinceMs >= this.#times.companyMs);
    if (due) {
      void this.#look();
      return;
    }
    this.#tell();
    this.#schedule();
  }
}

function equal(a: readonly Address[], b: readonly Address[]): boolean {
  return a.length === b.length && a.every((one, i) => one === b[i]);
}
