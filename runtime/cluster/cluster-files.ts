/** The files of a cluster on loopback in one folder: certificates, schema, a configuration a node. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeAuthority, makeNodeCertificate } from "../security/certificates.ts";
import { freePorts } from "./free-ports.ts";

export interface ClusterPlan {
  /** Is made if it is not there. */
  readonly dir: string;
  readonly names: readonly string[];
  /** CREATE statements. */
  readonly schema: string;
  readonly cluster?: string;
  /** Lines added to the configuration of every node, TOML by section name: `log.level` and the like. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
  /** No certificates: plaintext on loopback. */
  readonly plaintext?: boolean;
  /** Where each node is, by its number; left out: all on loopback. */
  readonly place?: (index: number) => NodePlace;
}

export interface NodePlace {
  /** IP addresses on which it listens. */
  readonly gossip: string;
  readonly api: string;
  /** "host:port" that peers dial, where that is another. */
  readonly external?: string;
}

export interface NodePlan {
  readonly name: string;
  readonly configFile: string;
  readonly dbPath: string;
  /** "host:port" on which it listens… */
  readonly gossip: string;
  /** …and which peers dial. */
  readonly dialled: string;
  readonly api: string;
}

const loopback: NodePlace = { gossip: "127.0.0.1", api: "127.0.0.1" };

/** Writes everything; nothing is started. */
export async function writeCluster(plan: ClusterPlan): Promise<NodePlan[]> {
  const { dir, names } = plan;
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, "schema.sql"), plan.schema);
  const ports = await freePorts(names.length * 2);
  const places = names.map((_, i) => plan.place?.(i) ?? loopback);
  const nodes = names.map((name, i): NodePlan => {
    const place = places[i] as NodePlace;
    const gossip = `${place.gossip}:${ports[2 * i]}`;
    return {
      name,
      configFile: join(dir, `${name}.toml`),
      dbPath: join(dir, `${name}.db`),
      gossip,
      dialled: place.external ?? gossip,
      api: `${place.api}:${ports[2 * i + 1]}`,
    };
  });
  if (plan.plaintext !== true) await writeCertificates(plan, places);
  const bootstrap = nodes.map(({ dialled }) => dialled);
  for (const node of nodes) writeFileSync(node.configFile, configText(plan, node, bootstrap));
  return nodes;
}

async function writeCertificates(
  { cluster, names, dir }: ClusterPlan,
  places: readonly NodePlace[],
): Promise<void> {
  const nowMs = Date.now();
  const authority = await makeAuthority({ cluster: cluster ?? "loopback", nowMs });
  writeFileSync(join(dir, "ca.pem"), authority.cert);
  // For `patina tls node` and `patina tls rotate`.
  writeFileSync(join(dir, "ca.key"), authority.key, { mode: 0o600 });
  for (const [i, name] of names.entries()) {
    const hosts = [...new Set(["127.0.0.1", "localhost", (places[i] as NodePlace).gossip])];
    const { cert, key } = await makeNodeCertificate({ authority, name, hosts, nowMs });
    writeFileSync(join(dir, `${name}.pem`), cert);
    writeFileSync(join(dir, `${name}.key`), key, { mode: 0o600 });
  }
}

function configText(plan: ClusterPlan, node: NodePlan, bootstrap: readonly string[]): string {
  const { name } = node;
  const sections = new Map<string, string[]>([
    // What else is configured on this machine is for other nodes.
    ["", [`name = ${text(name)}`, "inherit = false"]],
    ["db", [`path = ${text(`${name}.db`)}`, 'schema_paths = ["schema.sql"]']],
    [
      "gossip",
      [
        `addr = ${text(node.gossip)}`,
        `bootstrap = [${bootstrap
          .filter((other) => other !== node.dialled)
          .map(text)
          .join(", ")}]`,
        ...(node.dialled === node.gossip ? [] : [`external_addr = ${text(node.dialled)}`]),
      ],
    ],
    ["gossip.tls", []],
    ["api", [`addr = ${text(node.api)}`]],
    ["log", ['format = "text"']],
  ]);
  if (plan.plaintext !== true) {
    const files = [`ca_file = "ca.pem"`, `cert_file = "${name}.pem"`, `key_file = "${name}.key"`];
    sections.set("gossip.tls", files);
  }
  for (const [key, value] of Object.entries(plan.settings ?? {})) {
    const at = key.lastIndexOf(".");
    const section = key.slice(0, Math.max(0, at));
    const line = `${key.slice(at + 1)} = ${JSON.stringify(value)}`;
    const lines = sections.get(section);
    if (lines === undefined) sections.set(section, [line]);
    else lines.push(line);
  }
  return [...sections]
    .filter(([, lines]) => lines.length > 0)
    .map(([section, lines]) => `${section === "" ? "" : `[${section}]\n`}${lines.join("\n")}\n`)
    .join("\n");
}

function text(value: string): string {
  return JSON.stringify(value);
}
