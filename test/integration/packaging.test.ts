/** What comes in `packaging/`: the image, the cluster of containers, the unit of systemd. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { validate } from "dockerfile-utils";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { type LoadedConfig, loadConfig } from "../../runtime/config/load-config.ts";

const folder = join(import.meta.dirname, "../../packaging");
const file = (name: string): string => readFileSync(join(folder, name), "utf8");

/** @throws ConfigError for a setting that a node does not have, or a value that it does not take. */
function configOf(env: NodeJS.ProcessEnv): LoadedConfig {
  return loadConfig({ file: null, set: [], env, cwd: "/nowhere", usualFiles: [] });
}

describe("the Dockerfile", () => {
  const lines = file("Dockerfile").replaceAll("\\\n", " ").split("\n");
  const of = (word: string): string[] =>
    lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));

  test("is one, and nothing in it is deprecated or doubtful", () => {
    expect(validate(file("Dockerfile"))).toEqual([]);
  });

  test("takes the package, runs as nobody in particular, and starts a node", () => {
    expect(of("COPY")[0]).toMatch(/^patina-\*\.tgz /);
    expect(file("Dockerfile.dockerignore")).toContain("!patina-*.tgz");
    expect(of("USER")).toEqual(["node"]);
    const command = [...of("ENTRYPOINT"), ...of("CMD")].flatMap(
      (text) => JSON.parse(text) as string[],
    );
    expect(command).toEqual(["patina", "agent", "-c", "/etc/patina/config.toml"]);
    const { api, gossip } = configOf({}).config;
    const [gossipPort, apiPort] = [gossip.addr, api.addrs[0]].map((addr) => addr?.split(":")[1]);
    expect(of("EXPOSE")).toEqual([`${gossipPort}/udp ${gossipPort}/tcp ${apiPort}/tcp`]);
    const { engines } = JSON.parse(readFileSync(join(folder, "../package.json"), "utf8")) as {
      engines: { node: string };
    };
    const least = Number(/\d+/.exec(engines.node)?.[0]);
    for (const image of of("FROM")) {
      expect(Number(/^node:(\d+)/.exec(image)?.[1])).toBeGreaterThanOrEqual(least);
    }
  });
});

interface Service {
  readonly hostname?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly command: readonly string[];
  readonly volumes: readonly string[];
  readonly depends_on?: Readonly<Record<string, unknown>>;
  readonly build?: { readonly context: string; readonly dockerfile: string };
}

describe("the compose file", () => {
  const compose = parse(file("compose.yaml"), { merge: true }) as {
    services: Record<string, Service>;
    volumes: Record<string, unknown>;
  };
  const { certificates, ...nodes } = compose.services;
  const script = certificates?.command[0] ?? "";

  test("has five nodes, whose settings a node takes", () => {
    const names = ["n1", "n2", "n3", "n4", "n5"];
    expect(Object.keys(nodes)).toEqual(names);
    for (const [name, { environment = {}, hostname, command }] of Object.entries(nodes)) {
      const { config } = configOf(environment);
      expect([config.name, hostname, config.gossip.externalAddr]).toEqual([
        name,
        name,
        `${name}:8787`,
      ]);
      expect(config.gossip.tls).toEqual({
        caFile: "/certificates/ca.pem",
        certFile: `/certificates/${name}.pem`,
        keyFile: `/certificates/${name}.key`,
      });
      expect(command).toEqual(["agent"]);
      for (const seed of config.gossip.bootstrap) expect(names).toContain(seed.split(":")[0]);
      // The certificate that is made for it covers what peers dial.
      expect(script).toContain(`${names.join(" ")}; do`);
    }
    expect(script).toContain("--name $$name --address $$name");
  });

  test("names only volumes, files and services that there are", () => {
    for (const { volumes, depends_on: after = {} } of Object.values(compose.services)) {
      for (const volume of volumes) {
        const [source = ""] = volume.split(":");
        if (source.startsWith("./")) expect(existsSync(join(folder, source)), source).toBe(true);
        else expect(Object.keys(compose.volumes)).toContain(source);
      }
      for (const service of Object.keys(after)) expect(compose.services[service]).toBeDefined();
    }
    const [first] = Object.values(nodes);
    const { db } = configOf(first?.environment ?? {}).config;
    const targets = first?.volumes.map((volume) => volume.split(":")[1]);
    expect(targets).toEqual(expect.arrayContaining([...db.schemaPaths]));
    const { context = "", dockerfile = "" } = certificates?.build ?? {};
    expect(readFileSync(join(folder, context, dockerfile), "utf8")).toBe(file("Dockerfile"));
  });

  test("the lines that make the certificates are a shell's", () => {
    const text = script.replaceAll("$$", "$");
    execFileSync("sh", ["-n"], { input: text });
  });
});

const hasSystemd = runs("systemd-analyze", "--version");

describe("the unit", () => {
  const unit = file("patina.service");

  test.skipIf(!hasSystemd)("systemd finds nothing wrong with it (where there is systemd)", () => {
    const said = execFileSync("systemd-analyze", ["verify", join(folder, "patina.service")], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
    expect(said).toBe("");
  });

  test("sets what a node knows, and starts it as the documentation says", () => {
    const set = [...unit.matchAll(/^Environment=(PATINA__\w+)=(.*)$/gm)].map(
      ([, name = "", value = ""]) => [name, value.replace("%d", "/run/credentials")] as const,
    );
    const { config } = configOf(Object.fromEntries(set));
    expect(config.db.path).toBe("/var/lib/patina/state.db");
    expect(config.gossip.tls?.keyFile).toBe("/run/credentials/node.key");
    expect(unit).toMatch(/^ExecStart=.*patina agent -c \/etc\/patina\/config\.toml$/m);
    expect(unit).toMatch(/^Type=notify$/m);
    // A later line adds to what the first lets through.
    const filters = [...unit.matchAll(/^SystemCallFilter=(.*)$/gm)].map(([, names]) => names);
    expect(filters.at(-1)?.split(" ")).toEqual(["setpriority", "capset"]);
  });
});

function runs(program: string, ...args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
