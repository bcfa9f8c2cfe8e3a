/**
 * One attempt to reach a peer: its name is resolved, its addresses are tried one after another by
 * the carriers that there are, and the first connection that is welcomed wins. With both carriers,
 * UDP has a head start, unless only TCP worked for this peer lately (compare RFC 8305).
 */
import { performance } from "node:perf_hooks";
import type { Address } from "../../core/base/ids.ts";
import { parseHostPort } from "./address.ts";
import type { Intent } from "./control.ts";
import { dialTimeoutMs, udpHeadStartMs } from "./limits.ts";
import { closeCodes } from "./pipe.ts";
import type { Carrier } from "./pipe.ts";
import type { Resolver } from "./resolver.ts";
import { Session } from "./session.ts";
import type { SessionOwner } from "./session.ts";

export interface DialOwner extends SessionOwner {
  readonly resolver: Resolver;
  /** Why an address must not be dialled, or null. */
  forbidden(ip: string): string | null;
  began(session: Session, dial: Dial): void;
  /** The attempt has come to nothing; told once, unless it was won or given up. */
  dialFailed(dial: Dial, why: string): void;
}

export class Dial {
  readonly to: Address;
  /** What its hellos say. */
  readonly intent: Intent;
  readonly #owner: DialOwner;
  /** In the order in which they are tried. */
  readonly #carriers: readonly Carrier[];
  readonly #sessions = new Set<Session>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #waiting = 0;
  #over = false;
  #why = "no answer";
  #refusal: string | null = null;

  constructor(owner: DialOwner, to: Address, carriers: readonly Carrier[], intent: Intent) {
    this.#owner = owner;
    this.to = to;
    this.#carriers = carriers;
    this.intent = intent;
    this.#after(dialTimeoutMs, () => this.#fail(this.#why));
    void this.#begin();
  }

  get over(): boolean {
    return this.#over;
  }

  has(session: Session): boolean {
    return this.#sessions.has(session);
  }

  /** One of its sessions is in use from now on; the others go. */
  won(session: Session): void {
    this.#sessions.delete(session);
    this.giveUp("another connection was faster");
  }

  /** It is not needed any more. */
  giveUp(why: string): void {
    this.#stop();
    for (const session of this.#sessions) session.abort(closeCodes.duplicate, why);
    this.#sessions.clear();
  }

  /** The peer, or this node, gave a reason why not; it says more than what follows it. */
  refused(why: string): void {
    this.#refusal ??= why;
  }

  /** A session of this dial ended before it was welcomed. */
  lost(session: Session, why: string): void {
    this.#sessions.delete(session);
    this.#why = why;
    this.#check();
  }

  async #begin(): Promise<void> {
    const parsed = parseHostPort(this.to);
    if (parsed === null || parsed.port === 0) {
      // Not before its owner has it.
      setImmediate(() => this.#fail(`${JSON.stringify(this.to)} is no host:port to dial`));
      return;
    }
    let ips: readonly string[];
    try {
      ips = await this.#owner.resolver.resolve(parsed.host, performance.now());
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? String(error);
      this.#fail(`the name ${parsed.host} cannot be resolved (${code})`);
      return;
    }
    if (this.#over) return;
    // A second address, where a name has several, is another way to the same node: RFC 8305 again.
    ips.slice(0, 2).forEach((ip, i) => {
      this.#carriers.forEach((carrier, j) => {
        this.#waiting++;
        const delayMs = j * udpHeadStartMs + i * 300;
        const begin = (): void => {
          if (this.#over) return;
          // Where a handshake came to its end that carrier passes. A peer that has no time for its
          // welcome has none by the other.
          if (j > 0 && this.#shakenHands()) {
            this.#after(udpHeadStartMs, begin);
            return;
          }
          this.#waiting--;
          this.#dial(carrier, ip, parsed.port);
          this.#check();
        };
        if (delayMs === 0) begin();
        // What came while this node was busy is read first.
        else this.#after(delayMs, () => setImmediate(begin));
      });
    });
  }

  #shakenHands(): boolean {
    return [...this.#sessions].some(({ state }) => state !== "opening");
  }

  #dial(carrier: Carrier, ip: string, port: number): void {
    const forbidden = this.#owner.forbidden(ip);
    if (forbidden !== null) {
      this.#why = forbidden;
      return;
    }
    const session = new Session(this.#owner, this.to);
    this.#sessions.add(session);
    this.#owner.began(session, this);
    session.attach(carrier.dial(ip, port, session));
  }

  #check(): void {
    if (!this.#over && this.#waiting === 0 && this.#sessions.size === 0) this.#fail(this.#why);
  }

  #fail(why: string): void {
    if (this.#over) return;
    this.#stop();
    const sessions = [...this.#sessions];
    this.#sessions.clear();
    for (const session of sessions) session.abort(closeCodes.broken, why);
    this.#owner.dialFailed(this, this.#refusal ?? why);
  }

  #after(delayMs: number, then: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (!this.#over) then();
    }, delayMs);
    this.#timers.add(timer);
  }

  #stop(): void {
    this.#over = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}
