/** A scenario with one thing more: what a fork runs. */

export type ForkAddition =
  | {
      readonly kind: "fault";
      readonly fault: Readonly<Record<string, unknown>>;
      /** What ends it, where that is a fault of its own (restart, resume). */
      readonly ending?: Readonly<Record<string, unknown>> | undefined;
    }
  | {
      readonly kind: "write";
      readonly node: number;
      readonly atMs: number;
      readonly table: string;
      readonly row: Readonly<Record<string, unknown>>;
    };

/** How long the run goes on, at least, after what was added: room to see what comes of it. */
const roomMs = 2000;

/** @param scenario a resolved scenario, as the header of a trace holds it. */
export function forkScenario(
  scenario: Readonly<Record<string, unknown>>,
  addition: ForkAddition,
): Record<string, unknown> {
  const list = (key: string): unknown[] => {
    const value = scenario[key];
    return Array.isArray(value) ? value : [];
  };
  const name = typeof scenario["name"] === "string" ? scenario["name"] : "run";
  const fork: Record<string, unknown> = {
    ...scenario,
    name: name.endsWith("-fork") ? name : `${name}-fork`,
  };
  const times: number[] = [];
  if (addition.kind === "write") {
    const { node, atMs, table, row } = addition;
    times.push(atMs);
    fork["workload"] = [
      ...list("workload"),
      { kind: "ops", atMs, node, ops: [["upsert", table, row]] },
    ];
  } else {
    const added =
      addition.ending === undefined ? [addition.fault] : [addition.fault, addition.ending];
    for (const fault of added) times.push(...endsOf(fault));
    fork["faults"] = [...list("faults"), ...added];
  }
  const durationMs = typeof scenario["durationMs"] === "number" ? scenario["durationMs"] : 0;
  const last = Math.max(0, ...times);
  fork["durationMs"] = last > durationMs ? Math.ceil(last + roomMs) : durationMs;
  return fork;
}

function endsOf(fault: Readonly<Record<string, unknown>>): number[] {
  return [fault["atMs"], fault["untilMs"]].filter((time) => typeof time === "number");
}
