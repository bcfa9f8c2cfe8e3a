/**
 * Conversations of a few replicas, word for word. `npx vitest run test/golden -u` writes them
 * anew; the difference is to be reviewed like code.
 */
import { describe, expect, test } from "vitest";
import { MemoryStore } from "../../sim/store/memory-store.ts";
import { actorOf, Cluster, schema, startMs } from "../unit/node/cluster.ts";
import { Transcript } from "./transcript.ts";

async function expectTranscript(transcript: Transcript, name: string): Promise<void> {
  await expect(transcript.text()).toMatchFileSnapshot(`./${name}.txt`);
}

/** A cluster whose tree has settled and whose digests are seldom. */
function settled(nodes: number): Cluster {
  const cluster = new Cluster({ nodes });
  cluster.run(500);
  for (let i = 0; i < 4; i++) {
    cluster.put(0, "first");
    cluster.run(300);
  }
  cluster.run(60_000);
  return cluster;
}

describe("conversations", () => {
  test("GO01, GO02: a commit is broadcast and applied", async () => {
    const cluster = new Cluster({ nodes: 4 });
    cluster.run(500);
    const transcript = new Transcript(cluster);
    transcript.note("the first commit floods the links, and its duplicates cut the cycles");
    cluster.put(0, "a");
    cluster.run(400);
    transcript.note("the second follows the tree");
    cluster.put(0, "b");
    cluster.run(400);
    transcript.states();
    await expectTranscript(transcript, "commit-and-broadcast");
  });

  test("GO09, GO10: a push is lost and grafted", async () => {
    const cluster = settled(4);
    const transcript = new Transcript(cluster);
    transcript.note("the pushes to n3 are lost");
    cluster.loses = ({ to, effect }) => to === 3 && effect.kind === "push";
    cluster.put(0, "a");
    cluster.run(20);
    cluster.heal();
    cluster.run(400);
    transcript.states();
    await expectTranscript(transcript, "graft");
  });

  test("SY02, SY03, SY04: two sides of a partition meet again", async () => {
    const cluster = settled(3);
    cluster.cut([0, 1], [2]);
    for (let i = 0; i < 3; i++) cluster.put(i % 2, `left${i}`);
    for (let i = 0; i < 2; i++) cluster.put(2, `right${i}`);
    cluster.run(400);
    cluster.heal();
    const transcript = new Transcript(cluster);
    transcript.note("the partition is healed");
    transcript.states();
    for (let i = 0; i < 40 && !cluster.agrees; i++) cluster.run(100);
    cluster.run(300);
    transcript.states();
    await expectTranscript(transcript, "sync-after-partition");
  });

  test("SY08: overwritten versions come as markers, which wait for what overwrote them", async () => {
    const cluster = new Cluster({ nodes: 2 });
    cluster.run(500);
    cluster.cut([0], [1]);
    for (let i = 0; i < 5; i++) cluster.put(0, "a");
    cluster.put(0, "b");
    cluster.node(0).store.checkpoint();
    cluster.run(400);
    const transcript = new Transcript(cluster);
    transcript.note("n0 has overwritten its first four versions; contents are lost on the way at first");
    cluster.loses = ({ effect }) => effect.kind === "syncChunks";
    for (let i = 0; i < 20 && cluster.sentOf("syncDone").length === 0; i++) cluster.run(100);
    cluster.run(100);
    transcript.states();
    transcript.note("contents come through");
    cluster.heal();
    for (let i = 0; i < 60 && !cluster.agrees; i++) cluster.run(100);
    transcript.states();
    await expectTranscript(transcript, "markers");
  });

  test("SY15: rows that differ are found and mended", async () => {
    const cluster = settled(2);
    for (let i = 0; i < 100; i++) cluster.put(0, `k${String(i).padStart(3, "0")}`);
    cluster.run(1000);
    const stray = new MemoryStore({ actor: actorOf(5), schema });
    stray.commit(startMs + 3_600_000, [["insert", "kv", { k: "k042", v: "stray" }]]);
    const all = new Uint8Array(0);
    cluster.node(0).store.mergeRows(startMs, stray.readRows("kv", all, all, 1e6).rows);
    const transcript = new Transcript(cluster);
    transcript.note("a row of n0 is not what its versions say; n0 notices at its next commit");
    cluster.put(0, "z");
    for (let i = 0; i < 100 && !cluster.agrees; i++) cluster.run(100);
    transcript.states();
    await expectTranscript(transcript, "repair");
  });
});
