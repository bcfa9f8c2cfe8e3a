/** The certificates that a configuration names. */
import { readFileSync } from "node:fs";
import type { TransportTls } from "../net/transport.ts";
import { ConfigError } from "./config-error.ts";
import type { TlsFiles } from "./node-config.ts";

/** @throws ConfigError */
export function readTls({ caFile, certFile, keyFile }: TlsFiles): TransportTls {
  return {
    ca: readPem("gossip.tls.ca_file", caFile),
    cert: readPem("gossip.tls.cert_file", certFile),
    key: readPem("gossip.tls.key_file", keyFile),
  };
}

function readPem(key: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? "there is no such file" : `cannot be read: ${code}`;
    throw new ConfigError(`${key}: ${path}: ${why}`);
  }
}
