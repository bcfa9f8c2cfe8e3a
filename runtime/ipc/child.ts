/** Starts a child of this program with a pipe of frames to it. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import type { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { assert } from "../../core/base/assert.ts";
import { encodeFrame, FrameReader } from "./frame.ts";
import { childOptions, frugalEnvironment } from "./frugal.ts";
import { giveWay, ownSession } from "./give-way.ts";
import { parentDescriptor } from "./parent-pipe.ts";

export interface ChildOptions<Out> {
  /** The file that the child runs. */
  readonly script: URL;
  frame(value: Out): void;
  /** It has ended, and every frame that it wrote was handed over. */
  ended(code: number | null, signal: string | null): void;
}

const endsWithParent = ["setpriv", "--pdeathsig", "KILL"] as const;
let launched: readonly string[] | null = null;

/**
 * A child that SQLite keeps at a statement does not notice that its parent is gone. On Linux the
 * kernel ends it (prctl(2), PR_SET_PDEATHSIG), where util-linux is there to ask for that, and may: it
 * sets capabilities besides, if only to none, which a service manager can have forbidden.
 */
function launcher(): readonly string[] {
  if (launched === null) {
    const [program, ...words] = endsWithParent;
    const { status } = spawnSync(program, [...words, program, "--help"], { stdio: "ignore" });
    // Null where there is no such program.
    launched = status === 0 ? endsWithParent : [];
  }
  return launched;
}

export class Child<In, Out> {
  readonly #process: ChildProcess;
  readonly #pipe: Socket;
  #ended = false;

  constructor(options: ChildOptions<Out>) {
    const words = [...launcher(), process.execPath, ...childOptions, fileURLToPath(options.script)];
    this.#process = spawn(words[0] as string, words.slice(1), {
      stdio: ["ignore", "inherit", "inherit", "pipe"],
      env: frugalEnvironment(process.env),
      detached: ownSession,
    });
    giveWay(this.#process.pid);
    const pipe = this.#process.stdio[parentDescriptor] as Socket | undefined;
    assert(pipe !== undefined, "the child was started with a pipe");
    this.#pipe = pipe;
    const frames = new FrameReader<Out>((value) => options.frame(value));
    pipe.on("data", (piece: Buffer) => frames.push(piece));
    // A child that is gone shows as its end; what was being written to it is lost with it.
    pipe.on("error", () => {});
    const over = (code: number | null, signal: string | null): void => {
      if (this.#ended) return;
      this.#ended = true;
      options.ended(code, signal);
    };
    this.#process.on("close", over);
    this.#process.on("error", () => over(null, null));
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  send(value: In): void {
    if (this.#ended) return;
    for (const piece of encodeFrame(value)) this.#pipe.write(piece);
  }

  kill(): void {
    this.#process.kill("SIGKILL");
  }
}
