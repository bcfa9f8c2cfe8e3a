/** The documents name what there is. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { NodeStatus } from "../../../runtime/agent/node-service.ts";
import { errorStatus } from "../../../runtime/api/api-error.ts";
import { counterHelp } from "../../../runtime/observe/counter-help.ts";
import { NodeMetrics } from "../../../runtime/observe/metrics.ts";

const read = (name: string): string =>
  readFileSync(join(import.meta.dirname, "../../../docs", name), "utf8");

const quiet: NodeStatus = {
  version: "1",
  name: "n",
  actorId: "a",
  nodeId: "n",
  clusterId: 0,
  region: "",
  addr: "",
  uptimeSeconds: 1,
  unready: null,
  storeFailing: null,
  schema: { hash: "h", tables: [] },
  members: { alive: 1, suspect: 0, down: 0, left: 0 },
  lag: [],
  p99Lag: 0,
  gaps: 0,
  heads: {},
  queues: [],
  queueSize: 0,
  db: { bytes: 1, walBytes: 0, conflicts: 0, quarantined: 0, stateHash: "h", rows: 0 },
  counters: {},
};

describe("docs/http.md", () => {
  test("has every code with its status", () => {
    const text = read("http.md");
    for (const [code, status] of Object.entries(errorStatus)) {
      const line = text
        .split("\n")
        .find((row) => row.startsWith("|") && row.includes(`\`${code}\``));
      expect([code, line]).toEqual([
        code,
        expect.stringContaining(code === "slow_consumer" ? "last line" : `${status}`),
      ]);
    }
  });
});

describe("docs/metrics.md", () => {
  test("has every metric that a node shows", async () => {
    const metrics = new NodeMetrics();
    metrics.answered("/x", 200, 0.1);
    const text = await metrics.text({
      ...quiet,
      lag: [{ actorId: "b", p50: 0, p99: 0, versionsBehind: 0 }],
      heads: { a: 1 },
      queues: [{ name: "q", size: 0, max: 1 }],
      counters: Object.fromEntries(Object.keys(counterHelp).map((name) => [name, 1])),
    });
    metrics.close();
    const shown = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name as string);
    expect(shown.length).toBeGreaterThan(60);
    const documented = read("metrics.md");
    expect(shown.filter((name) => !new RegExp(`\`${name}[\`{]`).test(documented))).toEqual([]);
  });

  test("a counter goes on where its part begins again from 0", async () => {
    const metrics = new NodeMetrics();
    const status = (value: number): NodeStatus => ({
      ...quiet,
      counters: { commits_total: value },
    });
    await metrics.text(status(5));
    await metrics.text(status(7));
    expect(await metrics.text(status(2))).toContain("patina_commits_total 9\n");
    metrics.close();
  });
});
