/** Starts a child of this program with a pipe of frames to it. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import type { Socket } from "node:net";
import { getPriority, setPriority } from "node:os";
import { fileURLToPath } from "node:url";
import { assert } from "../../core/base/assert.ts";
import { encodeFrame, FrameReader } from "./frame.ts";
import { childOptions, frugalEnvironment } from "./frugal.ts";
import { parentDescriptor } from "./parent-pipe.ts";

export interface ChildOptions<Out> {
  /** The file that the child runs. */
  readonly script: URL;
  frame(value: Out): void;
  /** It has ended, and every frame that it wrote was handed over. */
  ended(code: number | null, signal: string | null): void;
}

/**
 * Children give way to their parent where the cores are taken: a merge may take its time, an answer
 * to a peer may not. So many steps of nice(2): about a third of the share of a core.
 */
const gives = 5;
const leastPriority = 19;

/**
 * Where Linux shares the cores among sessions first (sched(7), autogroup), a priority holds within one
 * alone, and what a child takes is held against its parent: the network thread waited for cores behind
 * strangers while the store of its node was busy. So each child has a session of its own.
 */
const ownSession = process.platform === "linux";

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

/** Before the child has threads: on Linux each has a priority of its own, and begins with that of its maker. */
function giveWay(pid: number | undefined): void {
  // It could not be started, which is told by its end.
  if (pid === undefined) return;
  try {
    setPriority(pid, Math.min(getPriority() + gives, leastPriority));
  } catch {
    // It has ended already, or the system does not let us: then it competes with us.
  }
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
