/** What kind of address "host:port" is, told from its text. */
import { isIP } from "node:net";

export function hostOf(addr: string): string {
  return addr.slice(0, addr.lastIndexOf(":")).replace(/^\[|\]$/g, "");
}

export function isLoopback(addr: string): boolean {
  const host = hostOf(addr).toLowerCase();
  if (host === "localhost" || host === "::1") return true;
  const v4 = host.replace(/^::ffff:/, "");
  return isIP(v4) === 4 && v4.startsWith("127.");
}

/** All addresses of the machine. */
export function isUnspecified(addr: string): boolean {
  return ["0.0.0.0", "::", "::ffff:0.0.0.0"].includes(hostOf(addr));
}
