/**
 * The main conversations of membership, word by word. `npx vitest run test/golden -u` writes them
 * anew; what changed is then to be read as a diff.
 */
import { expect, test } from "vitest";
import { SwimLab } from "../../../sim/swim-lab/lab.ts";
import { expectCalm } from "../../unit/swim/lab-checks.ts";
import { Transcript } from "./transcript.ts";

function quiet(nodes: number, warm = true): SwimLab {
  return new SwimLab({ seed: "golden", nodes, warm, latencyMs: { min: 1, max: 1 } });
}

async function expectTranscript(name: string, transcript: Transcript): Promise<void> {
  await expect(transcript.text()).toMatchFileSnapshot(`./${name}.txt`);
}

test("SW20: a node joins two others through one of them", async () => {
  const lab = quiet(3, false);
  const transcript = new Transcript(lab);
  lab.boot(0, [], null);
  lab.boot(1, [0], null);
  lab.runUntil(3000);
  transcript.begin("n2 joins n0 and n1 through n0");
  lab.boot(2, [0], null);
  lab.runUntil(4500);
  expectCalm(lab);
  await expectTranscript("join", transcript);
});

test("SW05, SW06: a path is lost one way, and a helper reaches the target", async () => {
  const lab = quiet(4);
  const transcript = new Transcript(lab);
  lab.start();
  lab.runUntil(2000);
  transcript.begin("datagrams from n0 to n1 are lost; the reliable path too");
  const cut = lab.partition([[0], [1]], true);
  lab.runUntil(6000);
  lab.heal(cut);
  await expectTranscript("indirect-probe", transcript);
});

test("SW05, SW08, SW03: a member is silent for three seconds, is suspected, and refutes", async () => {
  const lab = quiet(4);
  const transcript = new Transcript(lab);
  lab.start();
  lab.runUntil(2000);
  transcript.begin("n3 stands still for three seconds");
  lab.pause(3);
  lab.runUntil(5000);
  transcript.note("n3 goes on");
  lab.resume(3);
  lab.runUntil(7000);
  expectCalm(lab);
  await expectTranscript("suspect-and-refute", transcript);
});

test("SW23: a member leaves", async () => {
  const lab = quiet(4);
  const transcript = new Transcript(lab);
  lab.start();
  lab.runUntil(2000);
  transcript.begin("n3 leaves");
  lab.leave(3);
  lab.runUntil(4000);
  expectCalm(lab);
  await expectTranscript("leave", transcript);
});

test("SW24: a member crashes and starts again under a higher epoch", async () => {
  const lab = quiet(4);
  const transcript = new Transcript(lab);
  lab.start();
  lab.runUntil(2000);
  transcript.begin("n3 crashes, and starts again two seconds later");
  lab.crash(3);
  lab.runUntil(4000);
  transcript.note("n3 starts again");
  lab.restart(3, [0]);
  lab.runUntil(6000);
  expectCalm(lab);
  await expectTranscript("restart", transcript);
});

test("SW18, SW21: two sides that held each other dead meet again", async () => {
  const lab = quiet(4);
  const transcript = new Transcript(lab);
  lab.start();
  lab.runUntil(2000);
  const cut = lab.partition([
    [0, 1],
    [2, 3],
  ]);
  lab.runUntil(40_000);
  transcript.begin("n0 and n1 meet n2 and n3 after 38 seconds apart");
  lab.heal(cut);
  lab.runUntil(41_500);
  expectCalm(lab);
  await expectTranscript("heal", transcript);
});

test("SW25: a node that lost its epoch outbids its earlier self", async () => {
  const lab = quiet(3);
  const transcript = new Transcript(lab);
  lab.start();
  lab.runUntil(2000);
  lab.crash(2);
  lab.restart(2, [0]);
  lab.runUntil(4000);
  lab.crash(2);
  transcript.begin("n2, whose epoch was 2, starts again under epoch 1");
  lab.node(2).identity = { ...lab.node(2).identity, epoch: 1 };
  lab.boot(2, [0], null);
  lab.runUntil(5500);
  expectCalm(lab);
  await expectTranscript("lost-epoch", transcript);
});
