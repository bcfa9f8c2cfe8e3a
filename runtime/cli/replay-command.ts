/** `patina replay`: a trace in the visualizer, served on loopback or written as one HTML file. */
import { BundleError, ensureBundle, readAssets } from "../replay/bundle.ts";
import type { LiveSources } from "../replay/live-proxy.ts";
import { type ReplayServer, startReplayServer } from "../replay/server.ts";
import { singleFile } from "../replay/single-file.ts";
import { whyNoTrace } from "../replay/trace-file.ts";
import { CliError, exitCodes, systemReason, usageError } from "./exit-codes.ts";
import type { ExitCode } from "./exit-codes.ts";
import { assertWritable, OutputFile } from "./output-file.ts";
import type { Terminal } from "./terminal.ts";

export interface ReplayFlags {
  readonly out?: string;
  readonly live?: string;
  readonly token?: string;
  readonly port: number;
  readonly host: string;
  readonly json?: true;
}

/** @throws CliError (exit 2): a trace that is not there or is none, a path or a port that cannot be had. */
export async function replayCommand(
  trace: string | undefined,
  flags: ReplayFlags,
  terminal: Terminal,
): Promise<ExitCode> {
  if (trace !== undefined) checkTrace(trace);
  if (flags.out !== undefined) {
    if (trace === undefined) throw usageError("--out needs a trace to write");
    assertWritable("--out", flags.out);
  }
  const live = flags.live === undefined ? null : liveSources(flags.live, flags.token, trace);
  try {
    terminal.progress("building the visualizer");
    await ensureBundle();
    terminal.clearProgress();
    if (flags.out === undefined) return await serve(trace ?? null, live, flags, terminal);
    writePage(flags.out, trace as string);
    terminal.talk(`wrote ${flags.out}`);
    if (flags.json === true) terminal.print(JSON.stringify({ out: flags.out }));
    return exitCodes.ok;
  } catch (error) {
    if (error instanceof BundleError) throw new CliError(exitCodes.failure, error.message);
    throw error;
  }
}

function checkTrace(trace: string): void {
  let why: string | null;
  try {
    why = whyNoTrace(trace);
  } catch (error) {
    throw usageError(`cannot read ${trace}: ${systemReason(error)}`);
  }
  if (why !== null) throw usageError(`${trace} is no trace: ${why}`);
}

/** `--live`: addresses of nodes, or of their live traces, with commas between. */
function liveSources(
  list: string,
  token: string | undefined,
  trace: string | undefined,
): LiveSources {
  if (trace !== undefined) throw usageError("--live needs no trace; give one or the other");
  const urls = list.split(",").map((text) => {
    const address = text.trim();
    const url = URL.parse(address.includes("://") ? address : `http://${address}`);
    if (url === null || !/^https?:$/.test(url.protocol) || url.username !== "")
      throw usageError(`--live ${address}: not an address such as 127.0.0.1:8080`);
    if (url.pathname === "/") url.pathname = "/v1/trace";
    return url.href;
  });
  return { urls, token: token ?? process.env["PATINA_TOKEN"] ?? null };
}

function writePage(out: string, trace: string): void {
  const file = new OutputFile(out);
  for (const piece of singleFile(readAssets(), trace)) file.write(piece);
  file.close();
}

/** Serves until the first signal. */
async function serve(
  trace: string | null,
  live: LiveSources | null,
  { port, host, json }: ReplayFlags,
  terminal: Terminal,
): Promise<ExitCode> {
  let server: ReplayServer;
  try {
    server = await startReplayServer({ assets: readAssets(), trace, live, port, host });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const why = code === "EADDRINUSE" ? "it is in use" : systemReason(error);
    throw usageError(`cannot listen on ${host}, port ${port}: ${why}`);
  }
  terminal.print(json === true ? JSON.stringify({ url: server.url }) : server.url);
  terminal.talk("Open it in a browser; Ctrl-C ends it.");
  await new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
  await server.close();
  return exitCodes.ok;
}
