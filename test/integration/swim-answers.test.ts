/** What clients ask of a node, and what it merges, keeps its membership from no answer. */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { OwnCluster } from "../../runtime/bench/cluster-own.ts";
import { measureSwim } from "../../runtime/bench/cluster-swim.ts";

/** A thread that waited for a statement would answer as late as this. */
const statementSeconds = 4;
/** What a machine with too much to do may add. */
const patienceMs = 2500;

test("pings are answered while statements run, a client is slow, and rows are merged", async () => {
  const cluster = await OwnCluster.make(join(tmpdir(), "patina-swim"), 3, true);
  onTestFinished(() => cluster.dispose());
  const phases = await measureSwim(cluster, {
    seconds: statementSeconds,
    rows: 100_000,
    perTransaction: 20_000,
  });
  expect(phases).toHaveLength(5);
  for (const { what, times } of phases) {
    expect(times.answers.length, what).toBeGreaterThan(20);
    expect(times.answers.at(-1) ?? 0, what).toBeLessThan(patienceMs);
  }
}, 120_000);
