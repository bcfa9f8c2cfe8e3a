/** A thread of a sweep: runs the seeds that it is handed. */
import { parentPort, workerData } from "node:worker_threads";
import { runOfSweep } from "./run-task.ts";
import type { RunPlan, TaskResult } from "./run-task.ts";
import { tidyUp } from "./sim-engine.ts";
import type { AnswerMessage, TaskMessage } from "./thread-pool.ts";

export interface SweepTask {
  readonly run: number;
  readonly seed: string;
}

const plan = workerData as RunPlan;

parentPort?.on("message", async ({ index, task }: TaskMessage<SweepTask>) => {
  let message: AnswerMessage<TaskResult>;
  try {
    message = { index, answer: await runOfSweep(plan, task.seed, task.run) };
  } catch (error) {
    const {
      name,
      stack,
      message: text,
    } = error instanceof Error ? error : new Error(String(error));
    const story = `run ${task.run}, seed ${task.seed}: ${stack ?? text}`;
    message = { index, thrown: { name, story } };
  }
  parentPort?.postMessage(message);
  tidyUp();
});
