/** A node in a process of its own: started from its configuration, asked through its API, stopped or killed. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { frugalEnvironment, mainOptions } from "../ipc/frugal.ts";

export interface NodeProcessOptions {
  readonly name: string;
  readonly configFile: string;
  /** Where its log goes; it is added to. */
  readonly logFile: string;
  /** Further words of the command line. */
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Command line that begins the node in place of itself, such as `ip netns exec NAME`. */
  readonly under?: readonly string[];
}

/** What `patina agent --json` prints when it is ready. */
interface Ready {
  readonly actor_id: string;
  readonly gossip: string;
  readonly api: readonly string[];
}

/** The process ended before it was ready; the message is the last that it said. */
export class NodeStartError extends Error {
  override name = "NodeStartError";
  readonly exitCode: number | null;

  constructor(message: string, exitCode: number | null) {
    super(message);
    this.exitCode = exitCode;
  }
}

const program = fileURLToPath(new URL("../cli/main.ts", import.meta.url));

export class NodeProcess {
  readonly name: string;
  readonly actorId: string;
  readonly gossip: string;
  /** URL of the first address of its API. */
  readonly api: string;
  /** Resolves when the process has ended. */
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  readonly #process: ChildProcess;
  #over = false;

  private constructor(name: string, process: ChildProcess, ready: Ready) {
    this.name = name;
    this.actorId = ready.actor_id;
    this.gossip = ready.gossip;
    this.api = ready.api[0] ?? "";
    this.#process = process;
    this.exited = new Promise((resolve) => {
      process.on("exit", (code, signal) => {
        this.#over = true;
        resolve({ code, signal });
      });
    });
  }

  /** @throws NodeStartError */
  static async start(options: NodeProcessOptions): Promise<NodeProcess> {
    const log = openSync(options.logFile, "a");
    const [first, ...words] = [
      ...(options.under ?? []),
      process.execPath,
      ...mainOptions,
      program,
      "agent",
      "-c",
      options.configFile,
      "--json",
      "--until-stdin-ends",
      ...(options.args ?? []),
    ] as [string, ...string[]];
    const child = spawn(first, words, {
      stdio: ["pipe", "pipe", log],
      env: frugalEnvironment({ ...ownEnvironment(), ...options.env }),
      // What a terminal sends to all at once is for whoever started the node to pass on.
      detached: true,
    });
    closeSync(log);
    const ready = await new Promise<Ready>((resolve, reject) => {
      child.once("error", (error) => reject(new NodeStartError(error.message, null)));
      child.once("exit", (code) => {
        const last = readFileSync(options.logFile, "utf8").trimEnd().split("\n").at(-1) ?? "";
        reject(new NodeStartError(last, code));
      });
      const lines = createInterface({ input: child.stdout as NonNullable<typeof child.stdout> });
      lines.once("line", (line) => resolve(JSON.parse(line) as Ready));
    });
    child.removeAllListeners("exit");
    return new NodeProcess(options.name, child, ready);
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  get running(): boolean {
    return !this.#over;
  }

  /** Sends a signal that ends it. @returns how it ended. */
  async end(signal: NodeJS.Signals): Promise<Awaited<NodeProcess["exited"]>> {
    this.#process.kill(signal);
    return await this.exited;
  }

  /** Sends a signal after which it goes on. */
  poke(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** @returns the answer's JSON. Statements in the forms of the API. */
  async transact(statements: readonly unknown[], query = ""): Promise<TransactionAnswer> {
    const answer = await this.post(`/v1/transactions${query}`, statements);
    return (await answer.json()) as TransactionAnswer;
  }

  /** All rows. @throws Error with what the node said. */
  async rows(statement: unknown): Promise<readonly (readonly unknown[])[]> {
    const answer = await this.post("/v1/queries", statement);
    const lines = (await answer.text()).trimEnd().split("\n");
    const rows: (readonly unknown[])[] = [];
    for (const line of lines) {
      const event = JSON.parse(line) as { row?: [number, unknown[]]; error?: string };
      if (event.error !== undefined) throw new Error(`${this.name}: ${event.error}`);
      if (event.row !== undefined) rows.push(event.row[1]);
    }
    return rows;
  }

  async get<T>(path: string): Promise<T> {
    const answer = await fetch(`${this.api}${path}`);
    return (await answer.json()) as T;
  }

  post(path: string, body: unknown): Promise<Response> {
    return fetch(`${this.api}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  }
}

export interface TransactionAnswer {
  readonly results: readonly {
    readonly rows_affected?: number;
    readonly error?: string;
    readonly code?: string;
  }[];
  readonly version: number | null;
  readonly actor_id: string;
  readonly time: number;
  /** Asked for with `?wait=`. */
  readonly peers?: { readonly wanted: number; readonly applied: number };
}

/** Without settings that are meant for another node. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const all = Object.entries(process.env);
  return Object.fromEntries(all.filter(([name]) => !name.startsWith("PATINA__")));
}
