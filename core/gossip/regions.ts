/**
 * The members by region, and each region's gateway: the member with the smallest hash, which all
 * nodes that know the same members agree on without a word.
 */
import { assert } from "../base/assert.ts";
import type { Address } from "../base/ids.ts";
import { mix32 } from "../sync/set-hash.ts";

export interface Region {
  readonly name: string;
  readonly members: readonly Address[];
  readonly gateway: Address;
  readonly gatewayHash: number;
}

/** The order whose first member is the gateway. */
export const gatewaySalt = "gateway";

export function regionsOf(
  members: readonly Address[],
  regionOf: (address: Address) => string,
): Map<string, Region> {
  const byName = new Map<string, Address[]>();
  for (const address of members) {
    const name = regionOf(address);
    const known = byName.get(name);
    if (known === undefined) byName.set(name, [address]);
    else known.push(address);
  }
  const regions = new Map<string, Region>();
  for (const [name, list] of byName) {
    const [gateway] = leastBy(list, gatewaySalt, 1);
    assert(gateway !== undefined, "a region has members");
    const gatewayHash = placeOf(gateway, gatewaySalt);
    regions.set(name, { name, members: list, gateway, gatewayHash });
  }
  return regions;
}

/** Would `address` be the gateway of `region` if it joined it? */
export function takesOver({ gateway, gatewayHash }: Region, address: Address): boolean {
  const hash = placeOf(address, gatewaySalt);
  return hash < gatewayHash || (hash === gatewayHash && address < gateway);
}

/** The `count` members with the smallest hashes in the order that `salt` stands for. */
export function leastBy(
  members: readonly Address[],
  salt: string | number,
  count: number,
): Address[] {
  const least: { readonly address: Address; readonly hash: number }[] = [];
  for (const address of members) {
    const hash = placeOf(address, salt);
    let at = least.length;
    while (at > 0) {
      const other = least[at - 1] as { readonly address: Address; readonly hash: number };
      if (other.hash < hash || (other.hash === hash && other.address < address)) break;
      at--;
    }
    if (at >= count) continue;
    least.splice(at, 0, { address, hash });
    if (least.length > count) least.pop();
  }
  return least.map(({ address }) => address);
}

/** A member's place in the order that `salt` stands for, as 32 bits without sign. */
export function placeOf(address: Address, salt: string | number): number {
  let hash = 0x9e3779b1;
  if (typeof salt === "number") hash = Math.imul(salt + 1, hash);
  else hash = mixText(hash, salt);
  return mix32(mixText(hash, address)) >>> 0;
}

function mixText(hash: number, text: string): number {
  let mixed = hash;
  for (let i = 0; i < text.length; i++) {
    mixed = Math.imul(mixed ^ text.charCodeAt(i), 0x01000193);
  }
  return mixed;
}
