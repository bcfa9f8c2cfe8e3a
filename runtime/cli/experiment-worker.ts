/** A thread that runs cells of experiments. */
import { parentPort } from "node:worker_threads";
import { type CellTask, runCell } from "./experiment-cell.ts";
import type { CellAnswer } from "./experiment-cell.ts";
import type { AnswerMessage, TaskMessage } from "./thread-pool.ts";

parentPort?.on("message", async ({ index, task }: TaskMessage<CellTask>) => {
  let message: AnswerMessage<CellAnswer>;
  try {
    message = { index, answer: await runCell(task) };
  } catch (error) {
    const {
      name,
      stack,
      message: text,
    } = error instanceof Error ? error : new Error(String(error));
    const story = `${task.experiment}, cell ${JSON.stringify(task.cell)}: ${stack ?? text}`;
    message = { index, thrown: { name, story } };
  }
  parentPort?.postMessage(message);
});
