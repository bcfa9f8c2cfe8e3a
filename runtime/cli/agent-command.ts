/**
 * `patina agent`: one node in this process, from its configuration to its exit code. The first
 * SIGTERM or SIGINT stops it in order, a second one at once; SIGHUP reloads.
 */
import { Socket } from "node:net";
import { type Agent, AgentError, startAgent } from "../agent/agent.ts";
import { serviceManager } from "../agent/service-manager.ts";
import type { NetFailure } from "../agent/net-messages.ts";
import { Watchdog } from "../agent/watchdog.ts";
import { ListenError } from "../api/server.ts";
import type { LoadedConfig } from "../config/load-config.ts";
import { becomeFrugal, keepCodeOnceStarted } from "../ipc/frugal.ts";
import { giveBackWhenQuiet } from "../ipc/quiet.ts";
import { type NodeLog, startLog } from "../observe/logger.ts";
import type { ConfigFlags } from "./commands/shared.ts";
import { asCliError, configOf, readConfig } from "./config-source.ts";
import { CliError, type ExitCode, exitCodes } from "./exit-codes.ts";
import type { Terminal } from "./terminal.ts";
import { programVersion } from "./version.ts";

export interface AgentFlags extends ConfigFlags {
  readonly untilStdinEnds?: true;
  readonly json?: true;
}

/** A graceful stop that takes longer is ended: the spec's bound. */
const stopBoundMs = 9500;

const failureCodes: Readonly<Record<NetFailure, ExitCode>> = {
  schema: exitCodes.schemaRefused,
  certificate: exitCodes.configuration,
  open: exitCodes.failure,
  listen: exitCodes.failure,
  disk: exitCodes.failure,
  damaged: exitCodes.failure,
  bug: exitCodes.invariant,
};

/** @throws CliError: a configuration that is not right (3), a schema refused (7), a port in use (1). */
export async function agentCommand(flags: AgentFlags, terminal: Terminal): Promise<ExitCode> {
  becomeFrugal();
  const loaded = configOf(flags);
  const { name, log: logging } = loaded.config;
  const log = startLog({ ...logging, name });
  const ending = new Ending();
  const manager = serviceManager(process.env, (why) =>
    log.log.warn({ why }, "the service manager cannot be told how the node is"),
  );
  ending.listen();
  if (flags.untilStdinEnds === true) ending.withStdin();
  const agent = await start(flags, loaded, log, ending).catch((error: unknown) => {
    ending.letGo();
    throw error;
  });
  const watchdog = new Watchdog({
    ...loaded.config.watchdog,
    log: log.log,
    pulse: () => agent.node.pulse(),
    alive: () => manager.alive(),
    everyMs: manager.watchdogMs,
    giveUp: (what) => {
      log.log.fatal({}, `${what} is stuck: the node ends, to be started again`);
      process.exit(exitCodes.failure);
    },
  });
  keepCodeOnceStarted();
  giveBackWhenQuiet();
  const { address } = agent.started;
  const api = agent.apiAddresses.map((addr) => urlOf(addr, loaded));
  log.log.info(
    {
      gossip: address,
      api,
      actor: agent.node.actorId,
      db: loaded.config.db.path,
      pid: process.pid,
    },
    "ready",
  );
  if (flags.json === true) {
    const { actorId } = agent.node;
    terminal.print(JSON.stringify({ name, actor_id: actorId, gossip: address, api }));
  }
  manager.ready(`gossip ${address}, API ${api.join(", ")}`);
  process.on("SIGHUP", () => {
    manager.reloading();
    void agent.reload().then(
      () => manager.ready(`gossip ${address}, API ${api.join(", ")}`),
      (error: unknown) => {
        manager.ready("the last reload failed");
        log.log.error({ why: (error as Error).message }, "nothing was reloaded");
      },
    );
  });
  const code = await ending.wanted;
  manager.stopping();
  watchdog.stop();
  if (code !== exitCodes.ok) return await end(code);
  log.log.info({ signal: ending.signal }, "stopping");
  const bound = setTimeout(() => {
    log.log.error({}, "the stop took too long and is cut short");
    process.exit(exitCodes.failure);
  }, stopBoundMs);
  await agent.stop();
  clearTimeout(bound);
  log.log.info({}, "stopped");
  return await end(exitCodes.ok);
}

async function start(
  flags: AgentFlags,
  loaded: LoadedConfig,
  log: NodeLog,
  ending: Ending,
): Promise<Agent> {
  try {
    return await startAgent({
      loaded,
      loadAgain: () => readConfig(flags),
      log,
      version: programVersion(),
      failed: (error) => {
        log.log.fatal({ why: error.message }, "the node cannot go on");
        ending.end(failureCodes[error.code]);
      },
    });
  } catch (error) {
    if (error instanceof AgentError) throw new CliError(failureCodes[error.code], error.message);
    if (error instanceof ListenError) {
      const code = /open to everybody|certificate/.test(error.message)
        ? exitCodes.configuration
        : exitCodes.failure;
      throw new CliError(code, error.message);
    }
    throw asCliError(error);
  }
}

function urlOf(addr: string, { config }: LoadedConfig): string {
  return `${config.api.tls === null ? "http" : "https"}://${addr}`;
}

/** Threads, children and sockets may still be there; none of them keeps the process. */
function end(code: ExitCode): Promise<never> {
  process.exit(code);
}

/** What ends the node: a signal, or something that it cannot go on after. */
class Ending {
  readonly wanted: Promise<ExitCode>;
  signal: NodeJS.Signals | null = null;
  #resolve: (code: ExitCode) => void = () => {};

  constructor() {
    this.wanted = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  end(code: ExitCode): void {
    this.#resolve(code);
  }

  /** Whoever started the node holds the other end, and is gone when it is closed. */
  withStdin(): void {
    const gone = (): void => this.#resolve(exitCodes.ok);
    process.stdin.on("end", gone);
    process.stdin.on("error", gone);
    process.stdin.resume();
    // A node that could not start ends, though nobody has closed the other end.
    if (process.stdin instanceof Socket) process.stdin.unref();
  }

  /** Nothing here keeps the process from ending. */
  letGo(): void {
    process.stdin.destroy();
  }

  listen(): void {
    const cutShort = { SIGINT: exitCodes.interrupted, SIGTERM: exitCodes.terminated };
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.on(signal, () => {
        if (this.signal !== null) process.exit(cutShort[signal]);
        this.signal = signal;
        this.#resolve(exitCodes.ok);
      });
    }
  }
}
