/** A node that comes back after many versions of others. */
import { expect, test } from "vitest";
import { startedCluster } from "./node-process.ts";

/** New rows, a version each: their clocks wait to be written, and nobody looks for any of them… */
const fresh = 20_000;
/** …until versions come that change some, or add to a table whose keys are texts. */
const later = 2000;
const versions = fresh + 2 * later;
/** In flight at once: they share commits, and are versions of their own all the same. */
const writers = 64;

const schema = `CREATE TABLE kv (k TEXT PRIMARY KEY NOT NULL, v TEXT);
CREATE TABLE n (id INTEGER PRIMARY KEY NOT NULL, v TEXT);`;

function statementOf(i: number): [string, (string | number)[]] {
  if (i < fresh) return ["INSERT INTO n VALUES (?, 'new')", [i]];
  if (i % 2 === 0) return ["UPDATE n SET v = 'changed' WHERE id = ?", [i - fresh]];
  return ["INSERT INTO kv VALUES (?, 'new')", [`key ${i}`]];
}

test("a node that missed tens of thousands of one-row versions has them soon after its start", async () => {
  const cluster = await startedCluster({
    nodes: 2,
    schema,
    settings: { "db.synchronous": "normal" },
  });
  const writer = cluster.node(0);
  await cluster.node(1).end("SIGTERM");
  let id = 0;
  const write = async (): Promise<void> => {
    while (id < versions) {
      await writer.transact([statementOf(id++)]);
    }
  };
  await Promise.all(Array.from({ length: writers }, write));
  await cluster.start(1);
  await cluster.agree(60_000);
  const counted =
    "SELECT (SELECT count(*) FROM n), (SELECT count(*) FROM n WHERE v = 'changed'), (SELECT count(*) FROM kv)";
  expect(await cluster.node(1).rows(counted)).toEqual([[fresh, later, later]]);
  const { heads } = await cluster.node(1).get<{ heads: Record<string, number> }>("/v1/status");
  expect(heads[writer.actorId]).toBe(versions);
}, 180_000);
