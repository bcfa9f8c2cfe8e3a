/** The certificates that a configuration names. */
import { readFileSync } from "node:fs";
import { Credentials } from "../net/credentials.ts";
import { CertificateError } from "../security/certificate-info.ts";
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

/** Files that belong together and would convince peers now. @throws ConfigError naming the one that does not */
export function checkedTls(files: TlsFiles): TransportTls {
  const tls = readTls(files);
  try {
    return new Credentials(tls, Date.now()).tls;
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    const { message } = error;
    const which = message.startsWith("the authority")
      ? `ca_file: ${files.caFile}`
      : message.startsWith("the node's key")
        ? `key_file: ${files.keyFile}`
        : `cert_file: ${files.certFile}`;
    throw new ConfigError(`gossip.tls.${which}: ${message}`);
  }
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
