/** The checks of a run, in the order in which they are told what happened. */
import { Bookkeeping } from "./bookkeeping.ts";
import { Bounds } from "./bounds.ts";
import { CausalOrder } from "./causal-order.ts";
import type { Check, CheckContext, CheckName } from "./check.ts";
import { Converge } from "./converge.ts";
import { FalseDeaths } from "./false-deaths.ts";
import { MemberHistory } from "./member-history.ts";
import { MembershipCheck } from "./membership.ts";
import { NoLostWrite } from "./no-lost-write.ts";
import type { Scenario } from "../scenario/scenario.ts";
import { VersionReuse } from "./version-reuse.ts";
import { WholeVersions } from "./whole-versions.ts";

export interface Suite {
  readonly checks: readonly Check[];
  /** Null when it is not among the checks. */
  readonly lostWrites: NoLostWrite | null;
}

/** `wanted`: all by default. `no-crash` and `quiescence` are the run's own. */
export function createSuite(
  context: CheckContext,
  expected: Scenario["expect"],
  wanted?: readonly CheckName[],
): Suite {
  const { falseDeaths } = expected;
  const makers: Partial<Record<CheckName, () => Check>> = {
    "no-lost-write": () => new NoLostWrite(context),
    "version-reuse": () => new VersionReuse(context),
    "causal-order": () => new CausalOrder(context),
    "member-history": () => new MemberHistory(context),
    ...(falseDeaths === undefined
      ? {}
      : { "false-deaths": () => new FalseDeaths(context, falseDeaths) }),
    bounds: () => new Bounds(context),
    bookkeeping: () => new Bookkeeping(context),
    "whole-versions": () => new WholeVersions(context),
    converge: () => new Converge(context),
    membership: () => new MembershipCheck(context),
  };
  const checks: Check[] = [];
  for (const [name, make] of Object.entries(makers)) {
    if (wanted === undefined || wanted.includes(name as CheckName)) checks.push(make());
  }
  const lostWrites = checks.find((check) => check instanceof NoLostWrite) ?? null;
  return { checks, lostWrites };
}
