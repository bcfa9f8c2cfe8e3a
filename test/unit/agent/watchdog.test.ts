/** The watchdog tells once of what stands still, and again when it goes on. */
import { pino } from "pino";
import { expect, test, vi } from "vitest";
import { Watchdog } from "../../../runtime/agent/watchdog.ts";

function watched(restart: boolean): {
  readonly lines: string[];
  readonly gaveUp: string[];
  readonly alive: () => number;
  busyMs: number;
  hangs: boolean;
  stop(): void;
} {
  const lines: string[] = [];
  const gaveUp: string[] = [];
  const alive = vi.fn();
  const log = pino(
    {},
    { write: (line: string) => lines.push((JSON.parse(line) as { msg: string }).msg) },
  );
  const state = {
    lines,
    gaveUp,
    alive: () => alive.mock.calls.length,
    busyMs: 0,
    hangs: false,
    stop: () => {},
  };
  const watchdog = new Watchdog({
    stuckMs: 60,
    restart,
    log,
    everyMs: null,
    alive,
    giveUp: (what) => gaveUp.push(what),
    pulse: () =>
      state.hangs ? new Promise(() => {}) : Promise.resolve({ storeBusyMs: state.busyMs }),
  });
  state.stop = () => watchdog.stop();
  return state;
}

test("a store that is at one command for long is told of once, and that it goes on", async () => {
  const state = watched(false);
  await vi.waitFor(() => expect(state.alive()).toBeGreaterThan(2));
  state.busyMs = 100;
  await vi.waitFor(() => expect(state.lines).toEqual(["the store process stands still"]));
  const told = state.alive();
  await vi.waitFor(() => expect(state.alive()).toBeGreaterThan(told + 2));
  state.busyMs = 0;
  await vi.waitFor(() => expect(state.lines).toHaveLength(2));
  expect(state.lines[1]).toBe("the store process goes on");
  expect(state.gaveUp).toEqual([]);
  state.stop();
});

test("a network thread that gives no sign of life ends the node where that is configured", async () => {
  const state = watched(true);
  await vi.waitFor(() => expect(state.alive()).toBeGreaterThan(0));
  state.hangs = true;
  await vi.waitFor(() => expect(state.gaveUp).toEqual(["the network thread"]));
  const told = state.alive();
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect(state.alive()).toBe(told);
  state.stop();
});
