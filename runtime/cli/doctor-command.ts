/** `patina doctor`: one line a check as soon as it is done; exit 1 when something is wrong. */
import type { LoadedConfig } from "../config/load-config.ts";
import type { ConfigFlags } from "./commands/shared.ts";
import { configOf } from "./config-source.ts";
import {
  checkCertificates,
  checkClock,
  checkDatabase,
  checkDisk,
  checkPorts,
  checkRuntime,
} from "./doctor-checks.ts";
import { checkPeers } from "./doctor-peers.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import type { Style, Terminal } from "./terminal.ts";

export interface DoctorFlags extends ConfigFlags {
  readonly deep?: true;
  readonly json?: true;
}

export type Verdict = "ok" | "warning" | "problem";

export interface Finding {
  readonly check: string;
  readonly verdict: Verdict;
  readonly what: string;
}

const styles: Readonly<Record<Verdict, Style>> = { ok: "green", warning: "yellow", problem: "red" };

/** @throws CliError (exit 3) for a configuration that cannot be read */
export async function doctorCommand(flags: DoctorFlags, terminal: Terminal): Promise<ExitCode> {
  const loaded = configOf(flags);
  const findings: Finding[] = [];
  for await (const finding of findingsOf(loaded, flags.deep === true)) {
    findings.push(finding);
    if (flags.json === true) continue;
    const mark = terminal.paint(styles[finding.verdict], finding.verdict.padEnd(7));
    terminal.print(`${mark}  ${finding.check.padEnd(12)}  ${finding.what}`);
  }
  const ok = findings.every(({ verdict }) => verdict !== "problem");
  if (flags.json === true) terminal.print(JSON.stringify({ ok, findings }));
  return ok ? exitCodes.ok : exitCodes.failure;
}

async function* findingsOf({ config }: LoadedConfig, deep: boolean): AsyncGenerator<Finding> {
  yield* checkRuntime();
  yield* checkDisk(config);
  yield* checkDatabase(config, deep);
  yield* await checkPorts(config);
  yield* await checkPeers(config);
  yield* checkCertificates(config);
  yield* await checkClock(config);
}
