/** "host:port" and "[IPv6]:port": the form in which nodes name each other. */
import { isIP } from "node:net";

export interface HostPort {
  /** IP address without brackets, or a DNS name. */
  readonly host: string;
  readonly port: number;
}

/** @returns null unless `text` has a host and a port from 0 to 65535. */
export function parseHostPort(text: string): HostPort | null {
  const [, bracketed, plain, digits = ""] =
    /^(?:\[([0-9A-Fa-f:.]+)\]|([^[\]:\s]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host === undefined || port > 65_535) return null;
  if (bracketed !== undefined && isIP(bracketed) !== 6) return null;
  return { host, port };
}

export function formatHostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

export function isLoopback(ip: string): boolean {
  return ip === "::1" || (isIP(ip) === 4 && ip.startsWith("127.")) || ip === "localhost";
}

/** 0.0.0.0 and ::, which stand for every address of the machine and cannot be dialled. */
export function isUnspecified(ip: string): boolean {
  return ip === "0.0.0.0" || (isIP(ip) === 6 && /^[0:]+$/.test(ip));
}

/** An IPv4 address that an IPv6 socket saw, as IPv4 (RFC 4291, section 2.5.5.2). */
export function unmapped(ip: string): string {
  return ip.startsWith("::ffff:") && isIP(ip.slice(7)) === 4 ? ip.slice(7) : ip;
}
