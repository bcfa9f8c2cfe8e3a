/** The addresses behind the names in `gossip.bootstrap`. */
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { type Address, address } from "../../core/base/ids.ts";
import { formatHostPort, parseHostPort } from "../net/address.ts";

export interface Seeds {
  /** Of each name that is known, and of each address itself. */
  readonly found: ReadonlyMap<Address, readonly Address[]>;
  /** Names that could not be looked up, and why. */
  readonly failed: readonly { readonly name: string; readonly why: string }[];
}

/** All IP addresses of a host name. @throws Error with a code */
export type FindAddresses = (host: string) => Promise<readonly string[]>;

const bySystem: FindAddresses = async (host) =>
  (await lookup(host, { all: true })).map((found) => found.address);

/** All addresses of all names but `self`. */
export async function resolveSeeds(
  names: readonly string[],
  self: Address,
  find: FindAddresses = bySystem,
): Promise<Seeds> {
  const found = new Map<Address, readonly Address[]>();
  const failed: { name: string; why: string }[] = [];
  await Promise.all(
    names.map(async (name) => {
      const parts = parseHostPort(name);
      if (parts === null || name === self) return;
      if (isIP(parts.host) !== 0) {
        found.set(address(name), [address(name)]);
        return;
      }
      try {
        const ips = await find(parts.host);
        found.set(
          address(name),
          ips.map((ip) => address(formatHostPort(ip, parts.port))),
        );
      } catch (error) {
        failed.push({ name, why: (error as NodeJS.ErrnoException).code ?? String(error) });
      }
    }),
  );
  return { found, failed };
}

/** Whether any of them has to be looked up. */
export function hasNames(bootstrap: readonly string[]): boolean {
  return bootstrap.some((name) => {
    const parts = parseHostPort(name);
    return parts !== null && isIP(parts.host) === 0;
  });
}
