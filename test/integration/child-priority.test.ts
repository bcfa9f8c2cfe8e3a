/** Children of a node give way to it: what they do may take its time, an answer to a peer may not. */
import { readdirSync, readFileSync } from "node:fs";
import { getPriority } from "node:os";
import { expect, onTestFinished, test } from "vitest";
import { Child } from "../../runtime/ipc/child.ts";
import type { StoreAnswer, StoreCommand } from "../../runtime/store-process/messages.ts";

const store = new URL("../../runtime/store-process/main.ts", import.meta.url);

/** Of each thread of a process; field 19 of proc(5), /proc/pid/task/tid/stat. */
function nices(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).map((tid) => {
    const stat = readFileSync(`/proc/${pid}/task/${tid}/stat`, "latin1");
    const afterName = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return Number(afterName[16]);
  });
}

test.runIf(process.platform === "linux")(
  "each thread of a child has less of a core than its parent where both want one",
  async () => {
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
    const own = getPriority();
    const all = nices(child.pid);
    expect(all.length).toBeGreaterThan(1);
    for (const nice of all) expect(nice).toBe(Math.min(own + 5, 19));
  },
);
