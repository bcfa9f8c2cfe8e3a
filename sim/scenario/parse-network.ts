/** The `nodes`, `network` and `clocks` of a scenario file. */
import type { LatencySpec } from "../network/latency.ts";
import { regionIndex, regionNames } from "../network/regions.ts";
import {
  at,
  readArray,
  readInteger,
  readNumber,
  readObject,
  readString,
  required,
  ScenarioError,
  show,
} from "./json-reader.ts";
import { nearest } from "../../core/base/nearest.ts";
import type { NetworkSpec, NodeSpec } from "./scenario.ts";
import { maxNodes } from "./scenario.ts";

/** An hour: longer delays say that another unit was meant. */
const maxLatencyMs = 3_600_000;

export function readNetwork(json: unknown): NetworkSpec {
  const path = "network";
  const o = readObject(json ?? {}, path, [
    "latencyMs",
    "loss",
    "duplicate",
    "corrupt",
    "bandwidthBytesPerSec",
  ]);
  const bandwidth = o["bandwidthBytesPerSec"] ?? null;
  return {
    latencyMs: readLatency(o["latencyMs"] ?? { min: 1, max: 5 }, at(path, "latencyMs")),
    loss: readProbability(o["loss"], at(path, "loss")),
    duplicate: readProbability(o["duplicate"], at(path, "duplicate")),
    corrupt: readProbability(o["corrupt"], at(path, "corrupt")),
    bandwidthBytesPerSec:
      bandwidth === null
        ? null
        : readNumber(bandwidth, at(path, "bandwidthBytesPerSec"), 1000, 1e12),
  };
}

export function readProbability(json: unknown, path: string): number {
  return readNumber(json ?? 0, path, 0, 1, "a probability");
}

/** `{min,max}`, `{median,p99}` or `{geo:"world"}`. */
export function readLatency(json: unknown, path: string): LatencySpec {
  if (typeof json === "number") {
    throw new ScenarioError(path, `write {"min": ${json}, "max": ${json}} for a fixed delay`);
  }
  const o = readObject(json, path, ["min", "max", "median", "p99", "geo"]);
  const number = (key: string): number =>
    readNumber(required(o[key], at(path, key)), at(path, key), 0, maxLatencyMs);
  const forms = [["min", "max"], ["median", "p99"], ["geo"]].filter((form) =>
    form.some((key) => o[key] !== undefined),
  );
  if (forms.length !== 1) {
    throw new ScenarioError(
      path,
      `must be {"min","max"}, {"median","p99"} or {"geo":"world"}, not ${show(json)}`,
    );
  }
  if (o["geo"] !== undefined) {
    if (o["geo"] !== "world") {
      throw new ScenarioError(
        at(path, "geo"),
        `the one model known is "world", not ${show(o["geo"])}`,
      );
    }
    return { geo: "world" };
  }
  if (o["min"] !== undefined || o["max"] !== undefined) {
    const min = number("min");
    const max = number("max");
    if (min > max) throw new ScenarioError(path, `min ${min} is above max ${max}; swap them`);
    return { min, max };
  }
  const median = number("median");
  const p99 = number("p99");
  if (median <= 0) throw new ScenarioError(at(path, "median"), "must be above 0");
  if (median > p99) {
    throw new ScenarioError(path, `median ${median} is above p99 ${p99}; swap them`);
  }
  return { median, p99 };
}

export function readNodes(json: unknown, network: NetworkSpec): NodeSpec[] {
  const path = "nodes";
  const value = required(json, path);
  if (typeof value === "number") {
    const count = readInteger(value, path, 1, maxNodes);
    return Array.from({ length: count }, (_, n) => ({
      name: `n${n}`,
      region: defaultRegion(n, network),
    }));
  }
  if (!Array.isArray(value)) {
    throw new ScenarioError(path, `must be a number or a list of nodes, not ${show(value)}`);
  }
  const list = readArray(value, path);
  if (list.length === 0) throw new ScenarioError(path, "must not be empty");
  if (list.length > maxNodes) throw new ScenarioError(path, `at most ${maxNodes} nodes`);
  const nodes = list.map((item, n) => readNode(item, `${path}[${n}]`, n, network));
  const names = new Map<string, number>();
  nodes.forEach(({ name }, n) => {
    const other = names.get(name);
    if (other !== undefined) {
      throw new ScenarioError(
        `${path}[${n}].name`,
        `"${name}" is the name of node ${other} already; give each its own`,
      );
    }
    names.set(name, n);
  });
  return nodes;
}

function readNode(json: unknown, path: string, n: number, network: NetworkSpec): NodeSpec {
  const o = readObject(json, path, ["name", "region"]);
  return {
    name: readName(o["name"], at(path, "name"), n),
    region: readRegion(o["region"], at(path, "region"), n, network),
  };
}

/** Names of members are at most 255 bytes on the wire. */
const maxNameLength = 60;

export function readName(json: unknown, path: string, n: number): string {
  const name = readString(json ?? `n${n}`, path);
  if (name === "" || name.length > maxNameLength) {
    throw new ScenarioError(path, `must have 1 to ${maxNameLength} characters`);
  }
  return name;
}

export function readRegion(json: unknown, path: string, n: number, network: NetworkSpec): string {
  const region = readString(json ?? defaultRegion(n, network), path);
  if ("geo" in network.latencyMs && regionIndex(region) < 0) {
    const near = nearest(region, regionNames);
    const hint =
      near === null ? `the regions are ${regionNames.join(", ")}` : `did you mean "${near}"?`;
    throw new ScenarioError(path, `"${region}" is no region of the world model; ${hint}`);
  }
  if (region.length > maxNameLength) {
    throw new ScenarioError(path, `must have at most ${maxNameLength} characters`);
  }
  return region;
}

function defaultRegion(n: number, network: NetworkSpec): string {
  return "geo" in network.latencyMs ? (regionNames[n % regionNames.length] as string) : "local";
}

export function readClocks(json: unknown): { skewMsMax: number; driftPpmMax: number } {
  const path = "clocks";
  const o = readObject(json ?? {}, path, ["skewMsMax", "driftPpmMax"]);
  return {
    skewMsMax: readNumber(o["skewMsMax"] ?? 0, at(path, "skewMsMax"), 0, 1e11),
    driftPpmMax: readNumber(o["driftPpmMax"] ?? 0, at(path, "driftPpmMax"), 0, 100_000),
  };
}
