/** The members as the main thread knows them, kept level by what the network thread tells. */
import type { Address } from "../../core/base/ids.ts";
import type { LiveEvent, LiveNode } from "../observe/live-trace.ts";
import type { NetMember } from "./net-messages.ts";
import type { MemberInfo } from "./node-service.ts";

export class MemberList {
  readonly #members = new Map<string, NetMember>();
  readonly #listeners = new Set<(member: MemberInfo) => void>();

  update(list: readonly NetMember[]): void {
    for (const member of list) {
      this.#members.set(member.addr, member);
      for (const told of this.#listeners) told(infoOf(member));
    }
  }

  forget(addr: string): void {
    this.#members.delete(addr);
  }

  rtts(list: readonly (readonly [addr: string, rttMs: number])[]): void {
    for (const [addr, rttMs] of list) {
      const member = this.#members.get(addr);
      if (member !== undefined) this.#members.set(addr, { ...member, rttMs });
    }
  }

  /** By address. */
  all(): MemberInfo[] {
    return this.#sorted().map(infoOf);
  }

  node(addr: Address): LiveNode | null {
    const member = this.#members.get(addr);
    if (member === undefined) return null;
    return { name: member.name, region: member.region, actor: member.actorId };
  }

  /** As a listener to the trace who comes now is told of them. */
  present(): LiveEvent[] {
    return this.#sorted().map(({ addr, state, incarnation: inc, epoch }) => {
      return { k: "member", about: addr as Address, state, inc, epoch };
    });
  }

  on(changed: (member: MemberInfo) => void): () => void {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  }

  #sorted(): NetMember[] {
    return [...this.#members.values()].sort((a, b) => (a.addr < b.addr ? -1 : 1));
  }
}

function infoOf(member: NetMember): MemberInfo {
  const { name, actorId, addr, state, incarnation, region, rttMs } = member;
  return { name, actorId, addr, state, incarnation, region, rttMs };
}
