/** Where an API that asks nobody for a token may listen, and under what names it answers there. */
import { isIP } from "node:net";
import type { ApiConfig } from "../config/node-config.ts";

/** The host of "host:port", "[::1]:port" or a Host header without its port. */
export function hostOf(address: string): string {
  const bracketed = /^\[([^\]]*)\]/.exec(address);
  if (bracketed !== null) return bracketed[1] as string;
  const colon = address.lastIndexOf(":");
  return colon < 0 || address.indexOf(":") !== colon ? address : address.slice(0, colon);
}

export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/\.$/, "");
  if (name === "localhost" || name.endsWith(".localhost") || name === "::1") return true;
  return isIP(name.replace(/^::ffff:/, "")) === 4 && /^(::ffff:)?127\./.test(name);
}

/** Why the API must not listen as configured, and what to do; null when it may. */
export function whyNotListen(config: ApiConfig): string | null {
  if (config.tokens.length > 0 || config.open) return null;
  const exposed = config.addrs.find((address) => !isLoopback(hostOf(address)));
  if (exposed === undefined) return null;
  return `the API would be open to everybody who reaches ${exposed}: give it tokens (patina token create NAME), listen on 127.0.0.1, or say open = true under [api]`;
}

/**
 * Whether a request that shows no token may be answered under the name in its Host header. A page in a
 * browser on this machine can make its own host name resolve to 127.0.0.1 and then read and write
 * what loopback alone was to protect (DNS rebinding); addresses and localhost cannot be made so.
 */
export function isOwnName(host: string | undefined, endpointName: string | null): boolean {
  if (host === undefined) return true;
  const name = hostOf(host);
  return isIP(name) !== 0 || isLoopback(name) || name === endpointName;
}
