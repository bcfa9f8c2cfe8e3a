/** The promises of docs/trace.md, kept by every kind of fault; and the reader that checks them, checked. */
import { expect, test } from "vitest";
import { runScenario } from "../../sim/run.ts";
import { buildScenario, builtIns, findBuiltIn } from "../../sim/scenarios/built-in.ts";
import type { BuiltIn } from "../../sim/scenarios/built-in.ts";
import { checkTrace } from "./trace-reader.ts";
import type { Trace, TraceLine } from "./trace-reader.ts";

function traceOf(builtIn: BuiltIn, seed: string): Trace {
  const lines: string[] = [];
  runScenario(buildScenario(builtIn), { seed, trace: (line) => lines.push(line), checks: [] });
  const [header, ...rest] = lines.map((line) => JSON.parse(line) as unknown);
  return { header: header as Trace["header"], lines: rest as TraceLine[] };
}

// Large ones say no more about traces, only longer.
const smallOnes = builtIns.filter(
  ({ name, nodes }) => nodes <= 8 && name !== "join-storm" && name !== "hot-row",
);

test.each(smallOnes.map((builtIn) => [builtIn.name, builtIn] as const))(
  "a trace of %s holds what readers rely on",
  (_name, builtIn) => {
    expect(checkTrace(traceOf(builtIn, "trace"))).toEqual([]);
  },
);

const splitHeal = findBuiltIn("split-heal") as BuiltIn;
const rolling = findBuiltIn("rolling-restart") as BuiltIn;

/** The first line that fits, and where it stands. */
function find(trace: Trace, fits: (line: TraceLine) => boolean): { line: TraceLine; at: number } {
  const at = trace.lines.findIndex(fits);
  return { line: trace.lines[at] as TraceLine, at };
}

function withLine(trace: Trace, at: number, ...lines: TraceLine[]): Trace {
  return { ...trace, lines: [...trace.lines.slice(0, at), ...lines, ...trace.lines.slice(at)] };
}

test("the reader notices what breaks a promise", () => {
  const whole = traceOf(splitHeal, "broken");
  const restarts = traceOf(rolling, "broken");
  const send = find(whole, ({ k }) => k === "send");
  const recv = find(whole, ({ k }) => k === "recv");
  const cut = find(whole, ({ k }) => k === "fault");
  const crash = find(restarts, ({ k }) => k === "crash");
  const last = whole.lines.length - 1;
  const end = whole.lines[last] as TraceLine;
  const early = { ...send.line, t: 0, m: 1e9 };
  const acrossSend = { ...send.line, t: cut.line.t, n: 0, to: 4, m: 1e9 };
  const acrossRecv = { ...recv.line, t: cut.line.t, n: 4, from: 0, m: 1e9 };
  const cases: readonly (readonly [string, Trace])[] = [
    ["time goes back", withLine(whole, last, early)],
    ["was sent before", withLine(whole, send.at, send.line)],
    ["was never sent", withLine(whole, 0, { ...recv.line, t: 0 })],
    ["other ends than its send", withLine(whole, recv.at, { ...recv.line, n: 4, from: 4 })],
    ["crosses partition", withLine(whole, cut.at + 1, acrossSend, acrossRecv)],
    [
      "crashed or paused",
      withLine(restarts, crash.at + 1, {
        ...send.line,
        t: crash.line.t,
        n: crash.line.n as number,
        m: 1e9,
      }),
    ],
    ["vanished", withLine(whole, 0, early)],
    [
      "another hash",
      withLine(whole, last, { ...find(whole, ({ k }) => k === "state").line, t: end.t }),
    ],
    ["something follows the end", withLine(whole, last + 1, { ...send.line, t: end.t, m: 1e9 })],
    ["no end line", { ...whole, lines: whole.lines.slice(0, -1) }],
    [
      "committed before",
      withLine(whole, last, { ...find(whole, ({ k }) => k === "commit").line, t: end.t }),
    ],
    [
      "never committed",
      withLine(whole, 0, { ...find(whole, ({ k }) => k === "apply").line, t: 0 }),
    ],
    [
      "sooner than 100 ms",
      withLine(
        whole,
        find(whole, ({ k }) => k === "state").at,
        find(whole, ({ k }) => k === "state").line,
      ),
    ],
  ];
  for (const [complaint, trace] of cases)
    expect(checkTrace(trace).join("\n"), complaint).toContain(complaint);
});
