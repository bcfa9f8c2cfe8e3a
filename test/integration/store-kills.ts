/** Kills a process that writes to a store, again and again, and looks at what is left each time. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { MemoryStore } from "../../sim/store/memory-store.ts";
import { SqliteStore } from "../../runtime/store/sqlite-store.ts";
import { chunkBytes, here, History, schema, stepsOf } from "./store-history.ts";

const child = fileURLToPath(new URL("store-child.ts", import.meta.url));

export interface Killed {
  /** Steps that the process said it had taken. */
  readonly told: number;
  /** Steps that the file holds. */
  readonly held: number;
  /** What is wrong with it; empty when all is well. */
  readonly problems: readonly string[];
}

export class Kills {
  readonly #path: string;
  readonly #model = new MemoryStore({ actor: here, schema, chunkBytes });
  readonly #history = new History();
  #steps = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** Lets the process run until it has taken a number of steps, and a little longer; then `kill -9`. */
  async once(steps: number, moreMs: number): Promise<Killed> {
    const told = await this.#run(steps, moreMs);
    const store = new SqliteStore({
      path: this.#path,
      actor: here,
      schema,
      chunkBytes,
      versionsPerPack: 2,
    });
    try {
      const held = stepsOf(store);
      for (; this.#steps < held; this.#steps++) this.#history.take(this.#model, this.#steps);
      const problems = store.check().map(({ where, what }) => `${where}: ${what}`);
      if (held < told) problems.push(`${told} steps were told, ${held} are held`);
      if (store.summary().hash !== this.#model.summary().hash) problems.push("the rows are others");
      for (const { name } of store.tables) {
        const [here, model] = [[...store.rows(name)], [...this.#model.rows(name)]];
        if (JSON.stringify(here) !== JSON.stringify(model)) problems.push(`table ${name} differs`);
      }
      return { told, held, problems };
    } finally {
      store.abandon();
    }
  }

  /** @returns the last step that it told. */
  #run(steps: number, moreMs: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const running = spawn(process.execPath, [child, this.#path]);
      let text = "";
      let errors = "";
      let seen = 0;
      let killing = false;
      running.stderr.on("data", (data: Buffer) => (errors += data.toString()));
      running.stdout.on("data", (data: Buffer) => {
        text += data.toString();
        seen += data.toString().split("\n").length - 1;
        if (seen < steps || killing) return;
        killing = true;
        setTimeout(() => running.kill("SIGKILL"), moreMs);
      });
      running.on("close", (code) => {
        if (code !== null) reject(new Error(`the process ended by itself: ${errors}`));
        else resolve(Number(text.slice(0, text.lastIndexOf("\n")).split("\n").at(-1)));
      });
    });
  }
}
