/** `patina tls`: the cluster's authority and the nodes' certificates as files in one folder. */
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { lastReload, type NotedReload, runningPid } from "../agent/pid-file.ts";
import { addressRefusal } from "../net/credentials.ts";
import {
  CertificateError,
  parseCertificate,
  parseCertificates,
  readCertificate,
  refusalOf,
} from "../security/certificate-info.ts";
import type { CertificateInfo } from "../security/certificate-info.ts";
import { makeAuthority, makeNodeCertificate } from "../security/certificates.ts";
import type { KeyAndCertificate } from "../security/certificates.ts";
import { configOf } from "./config-source.ts";
import { CliError, exitCodes, usageError } from "./exit-codes.ts";
import type { ExitCode } from "./exit-codes.ts";
import type { Terminal } from "./terminal.ts";
import { readTextFile, writeFiles } from "./tls-files.ts";

/** A reload waits for the store, which may be at a long command. */
const reloadWaitMs = 30_000;
const reloadLookMs = 50;

interface OutputFlags {
  readonly json?: true;
}

export interface InitFlags extends OutputFlags {
  readonly dir: string;
  readonly cluster: string;
  readonly days?: number;
  readonly force?: true;
}

export interface NodeFlags extends OutputFlags {
  readonly dir: string;
  readonly name: string;
  readonly address: string;
  readonly days?: number;
  readonly force?: true;
}

export interface RotateFlags extends OutputFlags {
  readonly dir: string;
  readonly name: string;
  readonly address?: string;
  readonly days?: number;
  readonly config?: string;
}

export async function tlsInit(flags: InitFlags, terminal: Terminal): Promise<ExitCode> {
  const made = await usable(() =>
    makeAuthority({ cluster: flags.cluster, nowMs: Date.now(), ...daysOf(flags) }),
  );
  const cert = join(flags.dir, "ca.pem");
  const key = join(flags.dir, "ca.key");
  // The key first: nobody may take a certificate whose key was not kept.
  write(
    key,
    cert,
    made,
    flags.force === true,
    "with --force it is replaced, and its cluster's nodes lose each other",
  );
  report(flags, terminal, { cert, key, info: readCertificate(made.cert) });
  terminal.talk("Give ca.pem to every node. Keep ca.key away from them: it makes nodes.");
  return exitCodes.ok;
}

export async function tlsNode(flags: NodeFlags, terminal: Terminal): Promise<ExitCode> {
  const made = await makeNode(flags, hostsOf(flags.address));
  const { cert, key } = pathsOf(flags);
  write(key, cert, made, flags.force === true, 'use "patina tls rotate" for a new one, or --force');
  report(flags, terminal, { cert, key, info: readCertificate(made.cert) });
  terminal.talk(
    [
      "In the node's configuration:",
      "  [gossip.tls]",
      ...[
        ["ca_file", join(flags.dir, "ca.pem")],
        ["cert_file", cert],
        ["key_file", key],
      ].map(([field, path]) => `  ${field} = ${JSON.stringify(path)}`),
    ].join("\n"),
  );
  return exitCodes.ok;
}

export async function tlsRotate(flags: RotateFlags, terminal: Terminal): Promise<ExitCode> {
  const { cert, key } = pathsOf(flags);
  const old = await usable(async () =>
    readCertificate(readTextFile(cert, 'make it with "patina tls node"')),
  );
  const node = flags.config === undefined ? null : configuredNode(flags, flags.config);
  const hosts = flags.address === undefined ? old.hosts : hostsOf(flags.address);
  const made = await makeNode(flags, hosts);
  const places = [{ cert, key }];
  if (node !== null) {
    const refusal = addressRefusal(parseCertificate(made.cert), node.advertised);
    if (refusal !== null) throw usageError(`peers would turn the node away: ${refusal}`);
    await usable(async () => checkAuthority(made.cert, node.ca));
    if (resolve(cert) !== node.cert || resolve(key) !== node.key) places.push(node);
  }
  for (const place of places) write(place.key, place.cert, made, true, "");
  const pid = node === null ? null : runningPid(node.db);
  const taken = node === null || pid === null ? null : await askToReload(node.db, pid);
  report(
    flags,
    terminal,
    { cert, key, info: readCertificate(made.cert) },
    node === null ? {} : { pid, changes: taken?.changes ?? [] },
  );
  if (pid !== null) terminal.talk(`The running node (process ${pid}) has taken them over.`);
  else if (node !== null) terminal.talk("The node does not run; it will begin with them.");
  else terminal.talk("A running node takes them over when it reloads (patina reload, SIGHUP).");
  return exitCodes.ok;
}

/** Has a running node reload, and waits for what it says of it. @throws CliError when it does not take the new files. */
async function askToReload(db: string, pid: number): Promise<NotedReload> {
  if (process.platform === "win32") {
    throw new CliError(
      exitCodes.failure,
      "the new files are in place; there are no signals here: have the node take them over with patina reload",
    );
  }
  const before = lastReload(db, pid)?.count ?? 0;
  process.kill(pid, "SIGHUP");
  const untilMs = performance.now() + reloadWaitMs;
  for (;;) {
    const noted = lastReload(db, pid);
    if (noted !== null && noted.count > before) {
      const refused = noted.changes.find((change) => change.startsWith("certificates: refused"));
      const why = noted.error ?? refused?.replace("certificates: refused: ", "") ?? null;
      if (why === null) return noted;
      throw new CliError(
        exitCodes.failure,
        `the new files are in place, but the node (process ${pid}) goes on with the old ones: ${why}`,
      );
    }
    if (runningPid(db) !== pid) {
      throw new CliError(
        exitCodes.unreachable,
        `the node (process ${pid}) ended meanwhile; it begins with the new files`,
      );
    }
    if (performance.now() > untilMs) {
      const seconds = reloadWaitMs / 1000;
      throw new CliError(
        exitCodes.timeout,
        `the new files are in place, but the node (process ${pid}) has not answered for ${seconds} s; see its log`,
      );
    }
    await sleep(reloadLookMs);
  }
}

/** The node whose configuration is named, if its certificate is the one to be replaced. @throws CliError */
function configuredNode(
  flags: RotateFlags,
  config: string,
): {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  readonly db: string;
  readonly advertised: string;
} {
  const { gossip, db } = configOf({ config }).config;
  if (gossip.tls === null) {
    throw usageError(`${config}: there is no [gossip.tls] whose files could be replaced`);
  }
  const { caFile: ca, certFile: cert, keyFile: key } = gossip.tls;
  let there: string | null = null;
  try {
    there = readCertificate(readFileSync(cert)).name;
  } catch {
    // There is none yet, or it is broken: all the more reason to put one there.
  }
  if (there !== null && there !== flags.name) {
    throw usageError(`${config} is the configuration of the node ${there}, not of ${flags.name}`);
  }
  return { ca, cert, key, db: db.path, advertised: gossip.externalAddr ?? gossip.addr };
}

/** @throws CertificateError when the node's own authority does not stand behind the new certificate. */
function checkAuthority(cert: string, caFile: string): void {
  const text = readTextFile(caFile, "it is the ca_file of the node");
  const why = refusalOf(parseCertificate(cert), parseCertificates(text), Date.now());
  if (why !== null) throw new CertificateError(`peers would turn the node away: ${why}`);
}

function pathsOf(flags: { readonly dir: string; readonly name: string }): {
  readonly cert: string;
  readonly key: string;
} {
  if (flags.name === "ca") {
    throw usageError('a node cannot be called "ca": ca.pem and ca.key are the authority\'s');
  }
  return { cert: join(flags.dir, `${flags.name}.pem`), key: join(flags.dir, `${flags.name}.key`) };
}

function makeNode(
  flags: { readonly dir: string; readonly name: string; readonly days?: number },
  hosts: readonly string[],
): Promise<KeyAndCertificate> {
  const hint = 'make the authority with "patina tls init"';
  const authority = {
    cert: readTextFile(join(flags.dir, "ca.pem"), hint),
    key: readTextFile(join(flags.dir, "ca.key"), hint),
  };
  return usable(() =>
    makeNodeCertificate({
      authority,
      name: flags.name,
      hosts,
      nowMs: Date.now(),
      ...daysOf(flags),
    }),
  );
}

function daysOf(flags: { readonly days?: number }): { readonly days?: number } {
  return flags.days === undefined ? {} : { days: flags.days };
}

/** "10.0.0.1,[2001:db8::1],seed.example.org" */
function hostsOf(text: string): string[] {
  const hosts = text
    .split(",")
    .map((host) => host.trim().replace(/^\[(.*)\]$/, "$1"))
    .filter((host) => host !== "");
  const port = hosts.find((host) => isIP(host) === 0 && /:\d+$/.test(host));
  if (port !== undefined) {
    throw usageError(
      `--address takes hosts without a port: ${port.replace(/:\d+$/, "")}, not ${port}`,
    );
  }
  return [...new Set(hosts)];
}

function write(
  key: string,
  cert: string,
  made: KeyAndCertificate,
  replace: boolean,
  hint: string,
): void {
  writeFiles(
    [
      { path: key, text: made.key, secret: true },
      { path: cert, text: made.cert, secret: false },
    ],
    replace,
    hint,
  );
}

function report(
  flags: OutputFlags,
  terminal: Terminal,
  made: {
    readonly cert: string;
    readonly key: string;
    readonly info: CertificateInfo;
  },
  more: { readonly pid?: number | null; readonly changes?: readonly string[] } = {},
): void {
  const { cert, key, info } = made;
  const expires = new Date(info.expiresMs).toISOString();
  if (flags.json) {
    const { name, cluster, hosts: addresses, fingerprint } = info;
    terminal.print(
      JSON.stringify({ name, cluster, addresses, cert, key, expires, fingerprint, ...more }),
    );
    return;
  }
  terminal.print(cert);
  terminal.print(key);
  terminal.talk(
    `${info.isAuthority ? "The authority" : info.name} of the cluster ${info.cluster} is valid until ${expires.slice(0, 10)}.`,
  );
}

/** Errors about certificates are the user's to mend. */
async function usable<T>(make: () => Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    if (error instanceof CertificateError) throw usageError(error.message);
    throw error;
  }
}
