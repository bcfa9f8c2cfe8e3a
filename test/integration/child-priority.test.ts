/** Children of a node give way to it: what they do may take its time, an answer to a peer may not. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { getPriority } from "node:os";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { Child } from "../../runtime/ipc/child.ts";
import type { StoreAnswer, StoreCommand } from "../../runtime/store-process/messages.ts";

const store = new URL("../../runtime/store-process/main.ts", import.meta.url);

/** Fields of proc(5), /proc/pid/stat, from the third on: the second is a name, which may hold anything. */
function fields(path: string): string[] {
  const stat = readFileSync(path, "latin1");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

/** Of each thread of a process: field 19. */
function nices(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).map((tid) =>
    Number(fields(`/proc/${pid}/task/${tid}/stat`)[16]),
  );
}

/** Field 6. */
function sessionOf(pid: number): number {
  return Number(fields(`/proc/${pid}/stat`)[3]);
}

/** As sched(7) tells of /proc/pid/autogroup. */
function sessionNice(pid: number | "self"): number {
  return Number(readFileSync(`/proc/${pid}/autogroup`, "latin1").trim().split(" ").at(-1));
}

async function answeringChild(): Promise<Child<StoreCommand, StoreAnswer>> {
  const answered = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  const child = new Child<StoreCommand, StoreAnswer>({
    script: store,
    frame: () => answered.resolve(),
    ended: () => ended.resolve(),
  });
  onTestFinished(async () => {
    child.kill();
    await ended.promise;
  });
  // By the time that it answers it has all its threads.
  child.send({ type: "info" });
  await answered.promise;
  return child;
}

describe.runIf(process.platform === "linux")("a child", () => {
  test("has in each thread less of a core than its parent where both want one", async () => {
    const child = await answeringChild();
    const own = getPriority();
    const all = nices(child.pid);
    expect(all.length).toBeGreaterThan(1);
    for (const nice of all) expect(nice).toBe(Math.min(own + 5, 19));
  });

  test("has a session of its own, so that what it takes is not held against its parent", async () => {
    const child = await answeringChild();
    expect(sessionOf(child.pid)).toBe(child.pid);
    expect(sessionOf(process.pid)).not.toBe(child.pid);
  });

  test.runIf(existsSync("/proc/self/autogroup"))(
    "has a session that gives way where the cores are shared among sessions",
    async () => {
      const child = await answeringChild();
      const own = sessionNice("self");
      await vi.waitFor(() => expect(sessionNice(child.pid)).toBe(Math.min(own + 5, 19)), 10_000);
    },
    20_000,
  );
});
