/** A scenario run in the browser: the simulator itself, its lines fed straight into columns. */
import { parseScenario } from "../../sim/scenario/parse.ts";
import type { Scenario } from "../../sim/scenario/scenario.ts";
import { buildScenario, findBuiltIn, suggestScenario } from "../../sim/scenarios/built-in.ts";
import { createRun } from "../../sim/run.ts";
import type { TraceBuilder } from "../model/ingest.ts";
import type { Request, RunSummary } from "./protocol.ts";

export type RunRequest = Extract<Request, { type: "run" }>;

/** Lines are encoded in bunches of about this many characters. */
const bunchCharacters = 65_536;
/** Virtual time between two looks at the progress. */
const stepUs = 250_000;

/** @throws Error with one readable line for a scenario that is unknown or not valid. */
export function runInPage(
  request: RunRequest,
  builder: TraceBuilder,
  onProgress: (share: number | null, events: number) => void,
): RunSummary {
  const scenario = resolveScenario(request);
  const encoder = new TextEncoder();
  let bunch = "";
  const flush = (): void => {
    if (bunch !== "") builder.push(encoder.encode(bunch));
    bunch = "";
  };
  const run = createRun(scenario, {
    seed: request.seed,
    wallClock: () => performance.now(),
    trace: (line) => {
      bunch += line;
      if (bunch.length >= bunchCharacters) flush();
    },
  });
  const expectedUs = scenario.durationMs * 1000;
  while (!run.step(run.nowUs + stepUs))
    onProgress(Math.min(0.98, (0.95 * run.nowUs) / expectedUs), builder.count);
  flush();
  const result = run.result();
  return {
    traceHash: result.traceHash,
    ok: result.ok,
    converged: result.converged,
    convergedAfterMs: result.convergedAfterMs,
    virtualMs: result.virtualMs,
    wallMs: result.wallMs,
    violations: result.violations.map(({ check, detail }) => `${check}: ${detail}`),
  };
}

/** @throws Error with one readable line. */
export function resolveScenario({ scenario, nodes }: Omit<RunRequest, "type" | "seed">): Scenario {
  if (typeof scenario !== "string") {
    const parsed = parseScenario(nodes === null ? scenario : { ...scenario, nodes }, "scenario");
    if (!parsed.ok) throw new Error(parsed.error);
    return parsed.scenario;
  }
  const builtIn = findBuiltIn(scenario);
  if (builtIn !== null) return buildScenario(builtIn, nodes ?? builtIn.nodes);
  const near = suggestScenario(scenario);
  throw new Error(
    `There is no built-in scenario ${scenario}.${near === null ? "" : ` Did you mean ${near}?`}`,
  );
}
