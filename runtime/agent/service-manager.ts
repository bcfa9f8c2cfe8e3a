/**
 * What systemd hears of a node (sd_notify(3)): that it is ready, that it stops, and that it is alive.
 * Node.js has no datagram sockets of the Unix kind, so `systemd-notify`, which is where systemd is,
 * says it. Without NOTIFY_SOCKET in the environment nothing is done.
 */
import { spawn } from "node:child_process";

export interface ServiceManager {
  ready(status: string): void;
  reloading(): void;
  stopping(): void;
  /** How often to say that the node is alive, in ms; null: nobody asks. */
  readonly watchdogMs: number | null;
  /** May be called more often: what was said lately is not said again. */
  alive(): void;
}

const silent: ServiceManager = {
  ready() {},
  reloading() {},
  stopping() {},
  watchdogMs: null,
  alive() {},
};

/** @param env is read once; children do not inherit the socket. */
export function serviceManager(
  env: NodeJS.ProcessEnv,
  complain: (why: string) => void,
): ServiceManager {
  const socket = env["NOTIFY_SOCKET"];
  if (socket === undefined || socket === "") return silent;
  const watchdogUs = Number(env["WATCHDOG_USEC"] ?? "");
  const mine = (env["WATCHDOG_PID"] ?? String(process.pid)) === String(process.pid);
  for (const name of ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"]) delete env[name];
  // Half of it, as sd_watchdog_enabled(3) advises.
  const watchdogMs = mine && watchdogUs > 0 ? Math.max(500, watchdogUs / 2000) : null;
  let saidMs = Number.NEGATIVE_INFINITY;
  let failed = false;
  const say = (...words: string[]): void => {
    if (failed) return;
    const child = spawn("systemd-notify", ["--no-block", `--pid=${process.pid}`, ...words], {
      stdio: "ignore",
      env: { PATH: env["PATH"], NOTIFY_SOCKET: socket },
    });
    child.on("error", (error) => {
      failed = true;
      complain(error.message);
    });
  };
  return {
    ready: (status) => say("--ready", `--status=${status}`),
    reloading: () => say("RELOADING=1"),
    stopping: () => say("STOPPING=1"),
    watchdogMs,
    alive: () => {
      const nowMs = performance.now();
      // Each time is a process of its own.
      if (watchdogMs === null || nowMs - saidMs < watchdogMs / 2) return;
      saidMs = nowMs;
      say("WATCHDOG=1");
    },
  };
}
