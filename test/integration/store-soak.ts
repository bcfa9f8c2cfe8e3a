/**
 * `npm run soak:store -- [KILLS]`: what the suite does a few times, hundreds of times: kill -9 of a
 * process that writes, and a disk that is full (a tmpfs of 3 MB, where this machine lets one be made).
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SqliteStore } from "../../runtime/store/sqlite-store.ts";
import { MemoryStore } from "../../sim/store/memory-store.ts";
import { chunkBytes, here, History, schema, stepsOf } from "./store-history.ts";
import { Kills } from "./store-kills.ts";

const directory = mkdtempSync(join(tmpdir(), "patina-soak-"));
try {
  await soakKills(Number(process.argv[2] ?? 300));
  soakFullDisk();
} finally {
  rmSync(directory, { recursive: true, force: true });
}

async function soakKills(count: number): Promise<void> {
  const kills = new Kills(join(directory, "killed.db"));
  let held = 0;
  for (let i = 1; i <= count; i++) {
    const result = await kills.once((i * 7) % 60, (i * 13) % 40);
    if (result.problems.length > 0) throw new Error(`kill ${i}: ${result.problems.join("; ")}`);
    held = result.held;
    if (i % 25 === 0) process.stdout.write(`${i} kills, ${held} transactions held, none lost\n`);
  }
}

function soakFullDisk(): void {
  const mount = join(directory, "small");
  execFileSync("mkdir", [mount]);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=3m", "tmpfs", mount], { stdio: "pipe" });
  } catch {
    process.stdout.write("no tmpfs can be mounted here: the full disk was not tried\n");
    return;
  }
  try {
    const path = join(mount, "full.db");
    const options = { path, actor: here, schema, chunkBytes };
    const history = new History();
    const model = new MemoryStore({ actor: here, schema, chunkBytes });
    let store = new SqliteStore(options);
    let failures = 0;
    let step = 0;
    while (failures < 50) {
      try {
        history.take(store, step);
        step++;
      } catch (error) {
        failures++;
        if (!/SQLITE_FULL|disk is full/.test(String(error))) throw error;
        // What failed may be the checkpoint behind a step that succeeded.
        step = stepsOf(store);
      }
    }
    const held = stepsOf(store);
    store.abandon();
    execFileSync("mount", ["-o", "remount,size=30m", mount]);
    store = new SqliteStore(options);
    for (let i = 0; i < held; i++) history.take(model, i);
    const problems = store.check();
    if (problems.length > 0 || store.summary().hash !== model.summary().hash) {
      throw new Error(`after a full disk: ${JSON.stringify(problems)}`);
    }
    for (const to = held + 100; step < to; step++) history.take(store, step);
    store.close();
    process.stdout.write(
      `full disk after ${held} transactions: none lost, and it goes on once there is room\n`,
    );
  } finally {
    execFileSync("umount", [mount]);
  }
}
