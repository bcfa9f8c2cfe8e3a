/**
 * Spreads independent tasks over worker threads. Each thread asks for its next task when it has
 * done one, so that a slow task holds up nobody; the answers carry their task's number, so that the
 * order in which threads finish cannot show in any result. The threads are tuned for simulations,
 * which is what they are begun for.
 */
import { Worker } from "node:worker_threads";
import { tuneThreads } from "./sim-engine.ts";

export interface TaskMessage<Task> {
  readonly index: number;
  readonly task: Task;
}

export type AnswerMessage<Answer> =
  | { readonly index: number; readonly answer: Answer }
  /** The task threw: a bug, told to the caller with the error's name and the story. */
  | { readonly index: number; readonly thrown: { readonly name: string; readonly story: string } };

export interface PoolOptions<Task, Answer> {
  /** A module that answers each TaskMessage on its parent port. */
  readonly worker: URL;
  /** Given to every thread as its worker data; must survive structured cloning. */
  readonly shared: unknown;
  readonly taskCount: number;
  readonly task: (index: number) => Task;
  readonly threads: number;
  /** Of the largest cluster that a task simulates; Infinity when it is not known. */
  readonly nodes: number;
  /** Called in no particular order. */
  readonly onAnswer: (index: number, answer: Answer) => void;
}

/** Resolves when every task is answered; rejects at the first one that threw. All threads are gone then. */
export async function runOnThreads<Task, Answer>(
  options: PoolOptions<Task, Answer>,
): Promise<void> {
  const workers: Worker[] = [];
  let next = 0;
  let answered = 0;
  try {
    await new Promise<void>((resolve, reject) => {
      if (options.taskCount === 0) resolve();
      tuneThreads(options.nodes);
      const feed = (worker: Worker): void => {
        if (next >= options.taskCount) return;
        const index = next++;
        const message: TaskMessage<Task> = { index, task: options.task(index) };
        worker.postMessage(message);
      };
      for (let i = 0; i < Math.min(options.threads, options.taskCount); i++) {
        const worker = new Worker(options.worker, { workerData: options.shared });
        workers.push(worker);
        worker.on("error", reject);
        worker.on("exit", (code) => {
          if (answered < options.taskCount)
            reject(new Error(`a worker thread ended early, exit code ${code}`));
        });
        worker.on("message", (message: AnswerMessage<Answer>) => {
          if ("thrown" in message) {
            const { name, story } = message.thrown;
            reject(Object.assign(new Error(story), { name, stack: story }));
            return;
          }
          try {
            options.onAnswer(message.index, message.answer);
          } catch (error) {
            reject(error as Error);
            return;
          }
          answered++;
          if (answered === options.taskCount) resolve();
          else feed(worker);
        });
        // Two at a time: a thread never waits for the main one between tasks.
        feed(worker);
        feed(worker);
      }
    });
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}
