/** From a scenario file to a scenario, or to one line that names file, key and mend. */
import { parseSchema } from "../../core/crdt/parse-schema.ts";
import {
  at,
  readArray,
  readInteger,
  readNumber,
  readObject,
  readOneOf,
  readString,
  required,
  ScenarioError,
} from "./json-reader.ts";
import { countJoins, readFaults } from "./parse-faults.ts";
import { readClocks, readNetwork, readNodes } from "./parse-network.ts";
import { readWorkload } from "./parse-workload.ts";
import type { Scenario } from "./scenario.ts";
import { defaultSchema } from "./scenario.ts";
import { checkTimeline } from "./timeline.ts";

export type ParsedScenario =
  | { readonly ok: true; readonly scenario: Scenario }
  /** One line, beginning with the file's name. */
  | { readonly ok: false; readonly error: string };

/** A day of virtual time. */
const maxDurationMs = 86_400_000;

const keys = [
  "name",
  "summary",
  "nodes",
  "durationMs",
  "schema",
  "network",
  "clocks",
  "workload",
  "faults",
  "expect",
  "profile",
  "broadcast",
  "start",
  "seed",
];

/** `file` is named in errors; its last part without extension is the default name. */
export function parseScenarioText(text: string, file: string): ParsedScenario {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return { ok: false, error: `${file}: not JSON: ${(error as Error).message.split("\n")[0]}` };
  }
  return parseScenario(json, file);
}

export function parseScenario(json: unknown, file: string): ParsedScenario {
  try {
    return { ok: true, scenario: readScenario(json, file) };
  } catch (error) {
    if (!(error instanceof ScenarioError)) throw error;
    return { ok: false, error: `${file}: ${error.message}` };
  }
}

function readScenario(json: unknown, file: string): Scenario {
  const o = readObject(json, "", keys);
  const network = readNetwork(o["network"]);
  const nodes = readNodes(o["nodes"], network);
  const durationMs = readNumber(
    required(o["durationMs"], "durationMs"),
    "durationMs",
    1,
    maxDurationMs,
  );
  const schema = readArray(o["schema"] ?? defaultSchema, "schema").map((sql, i) =>
    readString(sql, `schema[${i}]`),
  );
  const parsed = parseSchema(schema);
  if (!parsed.ok) throw new ScenarioError("schema", parsed.error);
  if (parsed.tables.length === 0) throw new ScenarioError("schema", "has no replicated table");
  const nodeCount = nodes.length + countJoins(o["faults"]);
  const faults = readFaults(o["faults"], {
    durationMs,
    initialNodes: nodes.length,
    nodeCount,
    network,
  });
  const workload = readWorkload(o["workload"], { durationMs, tables: parsed.tables, nodeCount });
  checkTimeline(faults, workload, nodes.length);
  const geo = "geo" in network.latencyMs;
  const seed = o["seed"] ?? null;
  return {
    name: readString(o["name"] ?? baseName(file), "name"),
    summary: readString(o["summary"] ?? "", "summary"),
    nodes,
    durationMs,
    schema,
    network,
    clocks: readClocks(o["clocks"]),
    workload,
    faults,
    expect: readExpect(o["expect"]),
    profile: readOneOf(o["profile"] ?? (geo ? "wan" : "lan"), "profile", ["lan", "wan", "fast"]),
    broadcast: readOneOf(o["broadcast"] ?? "tree", "broadcast", ["tree", "flood"]),
    start: readOneOf(o["start"] ?? "cold", "start", ["cold", "warm"]),
    seed: seed === null ? null : readString(seed, "seed"),
  };
}

function readExpect(json: unknown): Scenario["expect"] {
  const o = readObject(json ?? {}, "expect", ["convergeWithinMs", "violations", "falseDeaths"]);
  const falseDeaths = o["falseDeaths"] ?? null;
  return {
    convergeWithinMs: readNumber(
      o["convergeWithinMs"] ?? 30_000,
      at("expect", "convergeWithinMs"),
      0,
      maxDurationMs,
    ),
    violations: readInteger(o["violations"] ?? 0, at("expect", "violations"), 0, 1e9),
    ...(falseDeaths === null
      ? {}
      : { falseDeaths: readInteger(falseDeaths, at("expect", "falseDeaths"), 0, 1e9) }),
  };
}

function baseName(file: string): string {
  const last = file.split(/[/\\]/).at(-1) ?? file;
  return last.replace(/\.json$/, "");
}
