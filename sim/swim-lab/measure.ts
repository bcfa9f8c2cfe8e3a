/** Questions about the whole lab, answered from outside. */
import type { Address } from "../../core/base/ids.ts";
import type { SwimLab } from "./lab.ts";

/** Every running node lists exactly the running nodes as alive, with the same incarnations and epochs. */
export function agreed(lab: SwimLab): boolean {
  let root = -1;
  let count = 0;
  for (const _ of lab.running()) count++;
  for (const { membership } of lab.running()) {
    const { alive, suspect } = membership.stats();
    if (alive !== count || suspect !== 0) return false;
    if (root < 0) root = membership.digest;
    else if (root !== membership.digest) return false;
  }
  return true;
}

/** What keeps the lab from agreement, a line for each of the first few. */
export function disagreements(lab: SwimLab, max = 10): string[] {
  const lines: string[] = [];
  const expected = new Set<Address>();
  for (const { membership } of lab.running()) expected.add(membership.identity.address);
  const truth = new Map<Address, string>();
  for (const { membership } of lab.running()) {
    const { address, epoch } = membership.identity;
    truth.set(address, `alive(${membership.incarnation}) of epoch ${epoch}`);
  }
  for (const { membership, index } of lab.running()) {
    const seen = new Map<Address, string>();
    for (const member of membership.members()) {
      if (member.state === "down" || member.state === "left") continue;
      seen.set(member.address, `${member.state}(${member.incarnation}) of epoch ${member.epoch}`);
    }
    for (const [address, right] of truth) {
      if (seen.get(address) !== right) {
        lines.push(`n${index} has ${address} as ${seen.get(address)}, not ${right}`);
      }
    }
    for (const address of seen.keys()) {
      if (!expected.has(address)) lines.push(`n${index} lists ${address}, which is gone`);
    }
    if (lines.length >= max) break;
  }
  return lines.slice(0, max);
}
