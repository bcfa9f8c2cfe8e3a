/** A node whose disk is full: it says so, hurts nobody, and catches up when there is room. */
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { getuid } from "node:process";
import { expect, onTestFinished, test } from "vitest";
import { plannedCluster } from "./node-process.ts";

const reason = "a small file system is mounted, for which one has to be root on Linux";
const possible = process.platform === "linux" && getuid?.() === 0 && canMount();

test.skipIf(!possible)(
  `a full disk stops one node's writes, not the cluster (${reason})`,
  async () => {
    const cluster = await plannedCluster();
    const mounted = join(cluster.dir, "small");
    mkdirSync(mounted);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=12m", "tmpfs", mounted]);
    onTestFinished(() => {
      execFileSync("umount", ["-l", mounted]);
    });
    const [a, full] = await Promise.all([
      cluster.start(0),
      cluster.start(1, ["--set", `db.path=${join(mounted, "n1.db")}`]),
      cluster.start(2),
    ]);
    await a.transact([["INSERT INTO kv VALUES ('first', '1')", []]], "?wait=all");
    const half = "x".repeat(512 * 1024);
    for (let i = 0; i < 40; i++) {
      const { version } = await a.transact([["INSERT INTO kv VALUES (?, ?)", [`big${i}`, half]]]);
      expect(version).toBe(i + 2);
    }
    const failures = async (): Promise<string> => {
      const answer = await fetch(`${full.api}/metrics`);
      return /^patina_store_failures_total (\d+)/m.exec(await answer.text())?.[1] ?? "0";
    };
    await expect.poll(async () => Number(await failures()), { timeout: 60_000 }).toBeGreaterThan(0);
    expect(await full.rows("SELECT count(*) > 0 FROM kv")).toEqual([[1]]);
    expect(await cluster.node(2).rows("SELECT count(*) > 0 FROM kv")).toEqual([[1]]);

    const told = "what peers sent cannot be stored";
    await expect.poll(() => cluster.log(1), { timeout: 60_000 }).toContain("disk is full");
    expect(cluster.log(1)).toContain(told);
    const ready = async (): Promise<unknown> => {
      const answer = await fetch(`${full.api}/readyz`);
      return [answer.status, await answer.json()];
    };
    expect(await ready()).toEqual([
      503,
      { ready: false, why: expect.stringContaining("what peers send cannot be stored") },
    ]);
    expect((await fetch(`${full.api}/v1/health`)).status).toBe(503);
    expect((await full.get<{ gaps: number }>("/v1/status")).gaps).toBeGreaterThan(0);

    execFileSync("mount", ["-o", "remount,size=400m", mounted]);
    await cluster.agree(120_000);
    await expect
      .poll(() => cluster.log(1), { timeout: 60_000 })
      .toContain("what peers send can be stored again");
    expect(await ready()).toEqual([200, { ready: true }]);
    expect((await fetch(`${full.api}/v1/health`)).status).toBe(200);
    expect((await full.get<{ gaps: number }>("/v1/status")).gaps).toBe(0);
    expect(await full.rows("SELECT count(*) FROM kv")).toEqual([[41]]);
    const { version } = await full.transact(
      [["INSERT INTO kv VALUES ('room', '1')", []]],
      "?wait=all",
    );
    expect(version).toBe(1);
  },
  300_000,
);

function canMount(): boolean {
  try {
    execFileSync("mount", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
