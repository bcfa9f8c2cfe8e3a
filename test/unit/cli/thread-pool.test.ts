import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, expect, test } from "vitest";
import { runOnThreads } from "../../../runtime/cli/thread-pool.ts";

const dir = mkdtempSync(join(tmpdir(), "patina-pool-"));
afterAll(() => rmSync(dir, { recursive: true }));

/** Squares numbers, later ones sooner; throws at `shared.bad`, ends its thread at `shared.quit`. */
const script = join(dir, "worker.mjs");
writeFileSync(
  script,
  `import { parentPort, workerData } from "node:worker_threads";
parentPort.on("message", ({ index, task }) => {
  if (task === workerData.quit) process.exit(3);
  const answer = task === workerData.bad
    ? { index, thrown: { name: "InvariantError", story: "task " + task + " is bad" } }
    : { index, answer: task * task };
  setTimeout(() => parentPort.postMessage(answer), 20 - task);
});
`,
);

function squares(
  count: number,
  threads: number,
  shared: object = {},
): { answers: number[]; done: Promise<void> } {
  const answers: number[] = [];
  const done = runOnThreads<number, number>({
    worker: pathToFileURL(script),
    shared,
    taskCount: count,
    task: (index) => index,
    threads,
    nodes: 5,
    onAnswer: (index, answer) => {
      answers[index] = answer;
    },
  });
  return { answers, done };
}

test.each([1, 2, 5])(
  "every task is answered once under its own number, with %i threads",
  async (threads) => {
    const { answers, done } = squares(12, threads);
    await done;
    expect(answers).toEqual([0, 1, 4, 9, 16, 25, 36, 49, 64, 81, 100, 121]);
  },
);

test("no tasks need no threads", async () => {
  const { answers, done } = squares(0, 4);
  await done;
  expect(answers).toEqual([]);
});

test("a task that throws ends the work with the error's name and story", async () => {
  await expect(squares(8, 2, { bad: 3 }).done).rejects.toMatchObject({
    name: "InvariantError",
    message: "task 3 is bad",
  });
});

test("a thread that ends before its work is done is told, not waited for", async () => {
  await expect(squares(8, 2, { quit: 3 }).done).rejects.toThrow("ended early, exit code 3");
});
