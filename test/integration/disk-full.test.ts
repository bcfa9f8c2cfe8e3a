/** A node whose disk is full: it says so, hurts nobody, and catches up when there is room. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { getuid } from "node:process";
import { expect, onTestFinished, test } from "vitest";
import { SmallDisk } from "../chaos/small-disk.ts";
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

test.skipIf(!possible)(
  `a node alone whose disk is full says so until a write fits again (${reason})`,
  async () => {
    const cluster = await plannedCluster({ nodes: 1 });
    const disk = new SmallDisk(join(cluster.dir, "small"));
    onTestFinished(() => disk.remove());
    const node = await cluster.start(0, ["--set", `db.path=${join(disk.path, "n0.db")}`]);
    const write = async (k: string, bytes: number): Promise<number> => {
      const answer = await node.post("/v1/transactions", [
        ["INSERT INTO kv VALUES (?, ?)", [k, "x".repeat(bytes)]],
      ]);
      return answer.status;
    };
    const get = async (path: string): Promise<[number, string]> => {
      const answer = await fetch(node.api + path);
      return [answer.status, await answer.text()];
    };
    expect(await write("before", 10)).toBe(200);
    disk.fill();
    expect(await write("large", 8 << 20)).toBe(507);
    const why = /"why":"what clients write cannot be stored: [^"]*the disk is full; make room/;
    expect(await get("/readyz")).toEqual([503, expect.stringMatching(why)]);
    expect(await get("/v1/health")).toEqual([
      503,
      expect.stringMatching(/"store_failing":"[^"]*the disk is full; make room/),
    ]);
    expect((await get("/metrics"))[1]).toMatch(/^patina_ready 0$/m);
    expect(cluster.log(0)).toContain("a transaction of a client could not be stored");
    // What is to blame on its statement says nothing of the disk.
    expect(await write("before", 10)).toBe(400);
    expect((await get("/readyz"))[0]).toBe(503);

    disk.makeRoom();
    expect(await write("large", 8 << 20)).toBe(200);
    expect(await get("/readyz")).toEqual([200, '{"ready":true}']);
    expect((await get("/v1/health"))[0]).toBe(200);
    expect((await get("/metrics"))[1]).toMatch(/^patina_ready 1$/m);
    expect(cluster.log(0)).toContain("transactions of clients can be stored again");
  },
  60_000,
);

test.skipIf(!possible)(
  `a backup onto a full disk is 507, and leaves nothing there; the node is well (${reason})`,
  async () => {
    const cluster = await plannedCluster({ nodes: 1 });
    const disk = new SmallDisk(join(cluster.dir, "small"));
    onTestFinished(() => disk.remove());
    const node = await cluster.start(0);
    const path = join(disk.path, "backup.db");
    const backup = async (): Promise<[number, unknown]> => {
      const answer = await node.post("/v1/backup", { path });
      return [answer.status, await answer.json()];
    };
    disk.fill();
    expect(await backup()).toEqual([
      507,
      {
        error: expect.stringMatching(/backup\.db: the disk is full; make room/),
        code: "disk_full",
        hint: expect.any(String),
        sqlite: "SQLITE_FULL",
      },
    ]);
    expect(readdirSync(disk.path)).toEqual([]);
    expect((await fetch(`${node.api}/readyz`)).status).toBe(200);
    disk.makeRoom();
    expect(await backup()).toEqual([200, { path }]);
  },
  60_000,
);

function canMount(): boolean {
  try {
    execFileSync("mount", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
