/** Where settings come from, what becomes of them, and what a mistake is told as. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { ConfigError } from "../../../runtime/config/config-error.ts";
import { type LoadedConfig, loadConfig } from "../../../runtime/config/load-config.ts";
import { settings } from "../../../runtime/config/settings.ts";

const folder = mkdtempSync(join(tmpdir(), "patina-config-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Given {
  readonly text?: string;
  readonly set?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

function load({ text, set = [], env = {} }: Given): LoadedConfig {
  if (text !== undefined) writeFileSync(join(folder, "node.toml"), text);
  const file = text === undefined ? null : "node.toml";
  return loadConfig({ file, set, env, cwd: folder, usualFiles: [] });
}

function complaint(given: Given): string {
  try {
    load(given);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error("the configuration was taken");
}

describe("sources", () => {
  test("without any, every setting is as documented", () => {
    const { config, files, settings: all } = load({});
    expect(files).toEqual([]);
    expect(all.every(({ origin }) => origin === "default")).toBe(true);
    expect(config.gossip).toMatchObject({ addr: "127.0.0.1:8787", tls: null, profile: "lan" });
    expect(config.api.addrs).toEqual(["127.0.0.1:8080"]);
    expect(config.db.path).toBe(join(folder, "state.db"));
  });

  test("the command line goes before the environment, the environment before the file", () => {
    const text = '[log]\nlevel = "warn"\nformat = "text"\n[gossip]\nregion = "iad"\n';
    const env = { PATINA__LOG__LEVEL: "error", PATINA__GOSSIP__CLUSTER_ID: "7", HOME: "/" };
    const { config, settings: all } = load({ text, env, set: ["log.level=debug"] });
    expect(config.log).toEqual({ level: "debug", format: "text" });
    expect(config.gossip).toMatchObject({ region: "iad", clusterId: 7 });
    const origins = Object.fromEntries(all.map(({ key, origin }) => [key, origin]));
    expect(origins).toMatchObject({
      "log.level": "--set",
      "log.format": "node.toml:3",
      "gossip.region": "node.toml:5",
      "gossip.cluster_id": "PATINA__GOSSIP__CLUSTER_ID",
      "gossip.addr": "default",
    });
  });

  test("relative paths are relative to the file that names them", () => {
    mkdirSync(join(folder, "etc"), { recursive: true });
    writeFileSync(
      join(folder, "etc/n.toml"),
      '[db]\npath = "data/x.db"\nschema_paths = ["s", "/abs"]\n',
    );
    const { config } = loadConfig({ file: "etc/n.toml", set: [], env: {}, cwd: folder });
    expect(config.db.path).toBe(join(folder, "etc/data/x.db"));
    expect(config.db.schemaPaths).toEqual([join(folder, "etc/s"), "/abs"]);
    const set = ["db.path=y.db"];
    expect(loadConfig({ file: null, set, env: {}, cwd: folder }).config.db.path).toBe(
      join(folder, "y.db"),
    );
  });

  test("lists are written with commas, one address is a list too", () => {
    const { config } = load({
      text: '[api]\naddr = "127.0.0.1:1"\n',
      set: ["gossip.bootstrap=10.0.0.1:1, seed.example.org:2"],
    });
    expect(config.api.addrs).toEqual(["127.0.0.1:1"]);
    expect(config.gossip.bootstrap).toEqual(["10.0.0.1:1", "seed.example.org:2"]);
  });

  test("a token's hash may stand in a file of its own", () => {
    const hash = `sha256:${"ab".repeat(32)}`;
    writeFileSync(join(folder, "hash"), `${hash}\n`);
    const text = '[[api.tokens]]\nname = "a"\nhash_file = "hash"\nread = ["*"]\n';
    expect(load({ text }).config.api.tokens).toEqual([
      { name: "a", hash, read: ["*"], write: [], admin: false },
    ]);
  });
});

describe("layers", () => {
  const put = (name: string, text: string): void => {
    mkdirSync(join(folder, "layers/etc"), { recursive: true });
    writeFileSync(join(folder, "layers", name), text);
  };
  const layered = (more: Partial<Parameters<typeof loadConfig>[0]> = {}): LoadedConfig =>
    loadConfig({
      file: "named.toml",
      set: [],
      env: {},
      cwd: join(folder, "layers"),
      usualFiles: ["patina.toml", "etc/config.toml"],
      ...more,
    });
  const origins = ({ settings: all }: LoadedConfig): Record<string, string> =>
    Object.fromEntries(
      all.filter(({ origin }) => origin !== "default").map(({ key, origin }) => [key, origin]),
    );
  beforeEach(() => {
    put("named.toml", '[gossip]\nregion = "named"\n');
    put("patina.toml", '[gossip]\nregion = "here"\ncluster_id = 1\n[db]\npath = "here.db"\n');
    put("etc/config.toml", '[gossip]\ncluster_id = 2\n[log]\nlevel = "warn"\nformat = "text"\n');
  });

  test("setting by setting: the command line, the environment, the named file, ./patina.toml, /etc", () => {
    const loaded = layered({
      set: ["log.format=json"],
      env: { PATINA__GOSSIP__BROADCAST: "flood" },
    });
    expect(origins(loaded)).toEqual({
      "log.format": "--set",
      "gossip.broadcast": "PATINA__GOSSIP__BROADCAST",
      "gossip.region": "named.toml:2",
      "gossip.cluster_id": "patina.toml:3",
      "db.path": "patina.toml:5",
      "log.level": "etc/config.toml:4",
    });
    expect(loaded.config.gossip).toMatchObject({ region: "named", clusterId: 1 });
    expect(loaded.files.map((file) => relative(folder, file))).toEqual([
      "layers/named.toml",
      "layers/patina.toml",
      "layers/etc/config.toml",
    ]);
    expect(origins(layered({ file: null }))["gossip.region"]).toBe("patina.toml:2");
  });

  test("each one before the next, when all of them say it", () => {
    const env = { PATINA__GOSSIP__REGION: "env" };
    const region = (more: Parameters<typeof layered>[0]): string =>
      layered(more).config.gossip.region;
    put("etc/config.toml", '[gossip]\nregion = "etc"\n');
    expect(region({ env, set: ["gossip.region=flag"] })).toBe("flag");
    expect(region({ env })).toBe("env");
    expect(region({})).toBe("named");
    expect(region({ file: null })).toBe("here");
    rmSync(join(folder, "layers/patina.toml"));
    expect(region({ file: null })).toBe("etc");
  });

  test("relative paths are relative to the file that names them, whichever layer it is", () => {
    put("etc/config.toml", '[db]\nschema_paths = ["schema"]\n');
    const { db } = layered().config;
    expect(db.schemaPaths).toEqual([join(folder, "layers/etc/schema")]);
    expect(db.path).toBe(join(folder, "layers/here.db"));
  });

  test("a file that inherits nothing is the last that is asked; so is what the command line says", () => {
    put("named.toml", 'inherit = false\n[gossip]\nregion = "named"\n');
    expect(origins(layered())).toEqual({
      inherit: "named.toml:1",
      "gossip.region": "named.toml:3",
    });
    put("patina.toml", "inherit = false\n");
    expect(origins(layered({ file: null }))).toEqual({ inherit: "patina.toml:1" });
    const { files } = layered({ set: ["inherit=false"] });
    expect(files.map((file) => relative(folder, file))).toEqual(["layers/named.toml"]);
  });

  test("a file is read once, whatever it is called; the named one must be there", () => {
    expect(layered({ file: "./etc/../patina.toml" }).files).toHaveLength(2);
    expect(() => layered({ file: "nowhere.toml" })).toThrow(/nowhere.toml: cannot be read/);
  });

  test("a mistake in any layer is told with its place, overridden or not", () => {
    put("etc/config.toml", '[gossip]\nadr = "x"\n');
    expect(() => layered()).toThrow(/etc\/config.toml:2: .*did you mean gossip.addr/);
  });
});

describe("mistakes are one line with place, key and mend", () => {
  const loopback = "without certificates a node talks on loopback only";
  test.each([
    [
      '[gossip]\nadr = "127.0.0.1:1"\n',
      "node.toml:2: there is no setting gossip.adr; did you mean gossip.addr?",
    ],
    [
      '[gosip]\naddr = "127.0.0.1:1"\n',
      "node.toml:1: there is no setting gosip; did you mean gossip?",
    ],
    [
      "[api]\nbootstrap = []\n",
      "node.toml:2: there is no setting api.bootstrap; did you mean gossip.bootstrap?",
    ],
    ["gossip = 3\n", "node.toml:1: gossip is a section; write [gossip] and its settings"],
    [
      '[log]\nlevel = "loud"\n',
      'node.toml:2: log.level is one of "trace", "debug", "info", "warn", "error", "fatal", not "loud"',
    ],
    ["[db]\npath = 3\n", "node.toml:2: db.path "],
    ["[db]\npath = \n", "node.toml:2: is not TOML: "],
    [
      '[gossip]\naddr = "nowhere"\n',
      'node.toml:2: gossip.addr is "host:port", such as "127.0.0.1:8787", not "nowhere"',
    ],
    ['[gossip]\naddr = "127.0.0.1:99999"\n', "node.toml:2: gossip.addr has a port above 65535"],
    ["[watchdog]\nstuck_ms = 1\n", "node.toml:2: watchdog.stuck_ms is at least 1000, not 1"],
    ['[gossip]\naddr = "10.0.0.1:1"\n', `node.toml:2: gossip.addr: ${loopback}`],
    ['[gossip]\naddr = "0.0.0.0:1"\n', "node.toml:2: gossip.addr: peers cannot dial 0.0.0.0:1"],
    [
      '[gossip.tls]\nca_file = "ca.pem"\n',
      "node.toml:2: gossip.tls.ca_file is given but gossip.tls.cert_file and gossip.tls.key_file not; give all",
    ],
    [
      '[[api.tokens]]\nname = "a"\nhash = "secret"\n',
      "node.toml:1: api.tokens[0].hash is what `patina token create` prints",
    ],
    ['[[api.tokens]]\nname = "a"\nhsh = "x"\n', "node.toml:1: "],
  ])("%j", (text, expected) => {
    const told = complaint({ text });
    expect(told).toContain(expected);
    expect(told).not.toContain("\n");
  });

  test("what the environment and the command line say is checked alike", () => {
    expect(complaint({ env: { PATINA__GOSSIP__CLUSTER_ID: "many" } })).toBe(
      'PATINA__GOSSIP__CLUSTER_ID: gossip.cluster_id is a whole number from 0 to 4294967295, not "many"',
    );
    expect(complaint({ env: { PATINA__GOSIP__ADDR: "x" } })).toContain("did you mean gossip.addr?");
    expect(complaint({ set: ["log.level"] })).toBe(
      "--set log.level: is KEY=VALUE, such as --set log.level=debug",
    );
  });

  test("plaintext off loopback must be forced", () => {
    const set = ["gossip.addr=10.0.0.1:1", "gossip.plaintext=force"];
    expect(load({ set }).config.gossip.plaintext).toBe("force");
    expect(complaint({ set: ["gossip.addr=10.0.0.1:1", "gossip.plaintext=true"] })).toContain(
      loopback,
    );
  });
});

test("docs/configuration.md lists every setting with its default", () => {
  const text = readFileSync(new URL("../../../docs/configuration.md", import.meta.url), "utf8");
  const rows = new Map(
    [...text.matchAll(/^\| `([a-z_.]+)` \| (.+?) \|/gm)].map(([, key, value]) => [key, value]),
  );
  expect([...rows.keys()]).toEqual(Object.keys(settings));
  for (const [key, { initial }] of Object.entries(settings)) {
    if (initial === undefined || key === "name" || (Array.isArray(initial) && initial.length === 0))
      continue;
    const one: unknown = Array.isArray(initial) ? initial[0] : initial;
    const shown = typeof one === "string" ? one : JSON.stringify(one);
    if (shown !== "") expect([key, rows.get(key)]).toEqual([key, `\`${shown}\``]);
  }
});
