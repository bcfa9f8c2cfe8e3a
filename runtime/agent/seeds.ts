/** The addresses behind the names in `gossip.bootstrap`. */
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { type Address, address } from "../../core/base/ids.ts";
import { formatHostPort, parseHostPort } from "../net/address.ts";

export interface Seeds {
  readonly addresses: readonly Address[];
  /** Names that could not be looked up, and why. */
  readonly failed: readonly { readonly name: string; readonly why: string }[];
}

/** All addresses of all names, each once, without `self`. */
export async function resolveSeeds(names: readonly string[], self: Address): Promise<Seeds> {
  const addresses = new Set<Address>();
  const failed: { name: string; why: string }[] = [];
  await Promise.all(
    names.map(async (name) => {
      const parts = parseHostPort(name);
      if (parts === null) return;
      if (isIP(parts.host) !== 0) {
        addresses.add(address(name));
        return;
      }
      try {
        for (const found of await lookup(parts.host, { all: true })) {
          addresses.add(address(formatHostPort(found.address, parts.port)));
        }
      } catch (error) {
        failed.push({ name, why: (error as NodeJS.ErrnoException).code ?? String(error) });
      }
    }),
  );
  addresses.delete(self);
  return { addresses: [...addresses].sort(), failed };
}
