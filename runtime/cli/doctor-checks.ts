/** What `patina doctor` looks at. Each check says what it found and, where that is wrong, what to do. */
import { createSocket } from "node:dgram";
import { accessSync, constants, readFileSync, statfsSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import type { ActorId } from "../../core/base/ids.ts";
import { runningPid } from "../agent/pid-file.ts";
import { randomHexId } from "../agent/random.ts";
import { ConfigError } from "../config/config-error.ts";
import type { NodeConfig, TlsFiles } from "../config/node-config.ts";
import { checkedTls } from "../config/tls-files.ts";
import { parseHostPort } from "../net/address.ts";
import {
  expiryWarningMs,
  parseCertificates,
  readCertificate,
  refusalOf,
  parseCertificate,
} from "../security/certificate-info.ts";
import { SqliteStore } from "../store/sqlite-store.ts";
import { afterDamage } from "../store/store-error.ts";
import { openReader } from "../store/reader.ts";
import type { Finding, Verdict } from "./doctor-command.ts";
import { formatBytes } from "./format.ts";
import { storedSchema } from "./stored-schema.ts";

const dayMs = 86_400_000;
/** Less room than this and the next large transaction may not fit. */
const lowDiskBytes = 1_000_000_000;
/** Stamps further ahead than this move no clock (`HybridClock`), so writes of such a node lose. */
const clockWarnMs = 500;
const clockWaitMs = 3000;

export function finding(check: string, verdict: Verdict, what: string): Finding {
  return { check, verdict, what };
}

export function* checkRuntime(): Generator<Finding> {
  const db = new Database(":memory:");
  const sqlite = db.prepare("SELECT sqlite_version()").pluck().get() as string;
  db.close();
  yield finding(
    "runtime",
    "ok",
    `Node.js ${process.versions.node}, SQLite ${sqlite}, ${process.platform}-${process.arch}`,
  );
}

export function* checkDisk({ db }: NodeConfig): Generator<Finding> {
  const folder = dirname(db.path);
  try {
    accessSync(folder, constants.W_OK);
    const { bavail, bsize } = statfsSync(folder);
    const free = bavail * bsize;
    const what = `${formatBytes(free)} free in ${folder}`;
    if (free < lowDiskBytes) yield finding("disk", "warning", `${what}: make room`);
    else yield finding("disk", "ok", what);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const mend = code === "ENOENT" ? "make the folder" : "give the node's user write permission";
    yield finding("disk", "problem", `${folder}: ${code}: ${mend}`);
  }
}

export function* checkDatabase(config: NodeConfig, deep: boolean): Generator<Finding> {
  const { path } = config.db;
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? null;
  if (size === null || size === 0) {
    const what =
      size === null
        ? "not there yet; the first start makes it"
        : "empty; it is filled by the first start";
    yield finding("database", "ok", `${path} is ${what}`);
    return;
  }
  const pid = runningPid(path);
  try {
    if (deep && pid === null) {
      yield* prove(path);
      return;
    }
    const db = openReader(path);
    const problems = db.pragma("quick_check(1)", { simple: true }) as string;
    db.close();
    const who = pid === null ? "no node runs on it" : `process ${pid} runs on it`;
    if (problems !== "ok") {
      const what = problems.replace(/^\*\*\*.*\n/, "").replaceAll("\n", "; ");
      yield finding("database", "problem", `${path} is damaged: ${what}; ${afterDamage}`);
    } else if (deep)
      yield finding("database", "warning", `${path}: ${who}; --deep needs the node stopped`);
    else yield finding("database", "ok", `${path}: SQLite finds nothing wrong; ${who}`);
  } catch (error) {
    yield finding("database", "problem", (error as Error).message);
  }
}

/** Row by row: clocks, digests and books. */
function* prove(path: string): Generator<Finding> {
  const schema = storedSchema(path);
  const store = new SqliteStore({ path, actor: randomHexId() as ActorId, schema });
  try {
    const problems = store.check();
    if (problems.length === 0) {
      const { rows } = store.summary();
      yield finding("database", "ok", `${path}: all ${rows} rows fit together`);
    }
    for (const { where, what } of problems)
      yield finding("database", "problem", `${where}: ${what}`);
    if (problems.length > 0) yield finding("database", "problem", `${path}: ${afterDamage}`);
  } finally {
    store.close();
  }
}

/** Those of a node that runs are its own. */
export async function checkPorts({ gossip, api, db }: NodeConfig): Promise<Finding[]> {
  const pid = runningPid(db.path);
  if (pid !== null) return [finding("ports", "ok", `the node runs (process ${pid}) and has them`)];
  const findings: Finding[] = [];
  for (const [check, addr, bind] of [
    ["gossip.addr", gossip.addr, bindUdp] as const,
    ...api.addrs.map((one) => ["api.addr", one, bindTcp] as const),
  ]) {
    const why = await bind(addr);
    if (why === null) findings.push(finding(check, "ok", `${addr} is free`));
    else findings.push(finding(check, "problem", `${addr}: ${why}`));
  }
  return findings;
}

function bindUdp(addr: string): Promise<string | null> {
  const parsed = parseHostPort(addr);
  if (parsed === null) return Promise.resolve("it is no address");
  return new Promise((resolve) => {
    const socket = createSocket(parsed.host.includes(":") ? "udp6" : "udp4");
    socket.once("error", (error) => resolve(bindReason(error)));
    socket.bind(parsed.port, parsed.host, () => socket.close(() => resolve(null)));
  });
}

function bindTcp(addr: string): Promise<string | null> {
  const parsed = parseHostPort(addr);
  if (parsed === null) return Promise.resolve("it is no address");
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error) => resolve(bindReason(error)));
    server.listen(parsed.port, parsed.host, () => server.close(() => resolve(null)));
  });
}

function bindReason(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "EADDRINUSE") return "in use by another process; stop that one or take another port";
  if (code === "EADDRNOTAVAIL") return "this machine has no such address";
  return code === "EACCES" ? "it takes a privilege; take a port above 1023" : error.message;
}

export function* checkCertificates({ gossip, api }: NodeConfig): Generator<Finding> {
  if (gossip.tls === null) {
    yield finding(
      "certificates",
      gossip.plaintext === "force" ? "warning" : "ok",
      "none: the node talks plaintext",
    );
  } else {
    const { caFile, certFile } = gossip.tls;
    yield keyFinding(gossip.tls) ?? expiry("certificates", certFile, caFile);
    yield expiry("authority", caFile, null);
  }
  if (api.tls !== null) yield expiry("api.tls", api.tls.certFile, null);
}

/** What keeps the node from starting, such as the key of another certificate; null: nothing. */
function keyFinding(files: TlsFiles): Finding | null {
  try {
    checkedTls(files);
    return null;
  } catch (error) {
    if (error instanceof ConfigError) return finding("certificates", "problem", error.message);
    throw error;
  }
}

function expiry(check: string, file: string, caFile: string | null): Finding {
  try {
    const pem = readFileSync(file, "utf8");
    const { expiresMs, name } = readCertificate(pem);
    const days = Math.floor((expiresMs - Date.now()) / dayMs);
    if (caFile !== null) {
      const authorities = parseCertificates(readFileSync(caFile, "utf8"));
      const why = refusalOf(parseCertificate(pem), authorities, Date.now());
      if (why !== null) return finding(check, "problem", `${file}: ${why}`);
    }
    const what = `${file} (${name}) is valid for ${days} more days`;
    if (days < 0)
      return finding(check, "problem", `${file} has ended: renew it with patina tls rotate`);
    if (days * dayMs < expiryWarningMs)
      return finding(check, "warning", `${what}: renew it with patina tls rotate`);
    return finding(check, "ok", what);
  } catch (error) {
    return finding(check, "problem", `${file}: ${(error as Error).message}`);
  }
}

/** Against the clock of a peer's API would need its address; the running node's own is what is known. */
export async function checkClock({ api }: NodeConfig): Promise<Finding[]> {
  const year = new Date().getUTCFullYear();
  if (year < 2024) return [finding("clock", "problem", `it is ${year} here: set the clock`)];
  const [addr] = api.addrs;
  const scheme = api.tls === null ? "http" : "https";
  try {
    const before = Date.now();
    const answer = await fetch(`${scheme}://${addr}/livez`, {
      signal: AbortSignal.timeout(clockWaitMs),
    });
    const date = Date.parse(answer.headers.get("date") ?? "");
    const off = Number.isNaN(date) ? 0 : Math.abs(date - before) - 1000;
    if (off > clockWarnMs) return [finding("clock", "warning", `${off} ms apart from the node's`)];
  } catch {
    // Nobody to compare with.
  }
  return [finding("clock", "ok", `${new Date().toISOString()}; keep it with NTP or chrony`)];
}
