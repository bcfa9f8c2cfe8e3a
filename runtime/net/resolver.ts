/** Host names to IP addresses, remembered for a while. */
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { maxResolved, resolvedMs } from "./limits.ts";

export class Resolver {
  readonly #known = new Map<
    string,
    { readonly ips: readonly string[]; readonly untilMs: number }
  >();

  /** At least one address, in the order of the system. @throws Error when the name is not known. */
  async resolve(host: string, nowMs: number): Promise<readonly string[]> {
    if (isIP(host) !== 0) return [host];
    const known = this.#known.get(host);
    if (known !== undefined && known.untilMs > nowMs) return known.ips;
    const found = await lookup(host, { all: true, verbatim: true });
    const ips = found.map(({ address }) => address);
    if (ips.length === 0) throw new Error(`${host} has no address`);
    if (this.#known.size >= maxResolved) this.#known.clear();
    this.#known.set(host, { ips, untilMs: nowMs + resolvedMs });
    return ips;
  }
}
