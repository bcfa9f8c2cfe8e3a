/** The scenarios in the simulator. */
import { createRng } from "../../sim/rng.ts";
import { SwimLab } from "../../sim/swim-lab/lab.ts";
import { Fleet } from "../bench/fleet.ts";

/** Loopback: a tenth of a millisecond or so, with the work of two processes. */
const latencyMs = { min: 0.05, max: 0.2 };

/** A member is killed, again and again: from the kill until each other holds it down, in ms. */
export function simulatedCrashes(nodes: number, kills: number, seed: string): number[] {
  const times: number[] = [];
  for (let kill = 0; kill < kills; kill++) {
    const lab = new SwimLab({ seed: `${seed}/${kill}`, nodes, latencyMs, watch: false });
    const rng = lab.rng.fork("kill");
    const victim = kill % nodes;
    lab.start();
    const atMs = 3000 + rng.unit() * 1000;
    lab.runUntil(atMs);
    let knowing = 0;
    lab.onNotice = (_node, notice, nowMs) => {
      if (notice.type !== "member" || notice.state !== "down") return;
      if (lab.indexOf(notice.about) !== victim) return;
      times.push(nowMs - atMs);
      knowing++;
    };
    lab.crash(victim);
    lab.runUntilTrue(() => knowing === nodes - 1, atMs + 60_000, 250);
  }
  return times;
}

/** Commits through the nodes in turn: from each until the last node has applied it, in ms. */
export function simulatedSpread(nodes: number, commits: number, seed: string): number[] {
  const scenario = { nodes, durationMs: 3_600_000, network: { latencyMs }, start: "warm" };
  const fleet = new Fleet(scenario, seed);
  const rng = createRng(seed).fork("gaps");
  let atMs = 2000;
  for (let i = 0; i < commits; i++) {
    fleet.runUntil(atMs);
    fleet.write(i % nodes);
    atMs += 20 + rng.unit() * 20;
  }
  fleet.runUntil(atMs + 5000);
  return fleet.writes.map(
    ({ appliedUs, committedUs }) => ((appliedUs.at(-1) ?? 0) - committedUs) / 1000,
  );
}
