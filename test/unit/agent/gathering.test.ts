/** How a node's own versions wait for one another where the cores are taken. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Gathering, Pace } from "../../../runtime/agent/gathering.ts";

describe("the pace", () => {
  test("is no wait at all on a calm machine, nor for one timer that was late", () => {
    const pace = new Pace(() => 0);
    for (let i = 0; i < 100; i++) pace.late(i % 3);
    expect(pace.waitMs).toBe(0);
    pace.late(15);
    expect(pace.waitMs).toBe(0);
  });

  test("grows with how late timers are, up to a bound, and is forgotten again", () => {
    const pace = new Pace(() => 0);
    const waits: number[] = [];
    for (let i = 0; i < 40; i++) {
      pace.late(20);
      waits.push(pace.waitMs);
    }
    expect(waits).toEqual([...waits].sort((a, b) => a - b));
    expect(waits.at(-1)).toBe(50);
    pace.late(100_000);
    for (let i = 0; i < 40; i++) pace.late(1);
    expect(pace.waitMs).toBe(0);
  });
});

describe("the pace after a busy start", () => {
  function startedBusy(): { readonly pace: Pace; readonly pass: (ms: number) => void } {
    let nowMs = 0;
    const pace = new Pace(() => nowMs);
    for (let i = 0; i < 40; i++) pace.late(50);
    expect(pace.waitMs).toBe(50);
    return {
      pace,
      pass: (ms) => {
        nowMs += ms;
      },
    };
  }

  test("is forgotten with time, though no timer says that the machine is calm", () => {
    const { pace, pass } = startedBusy();
    pass(1000);
    expect(pace.waitMs).toBe(50);
    pass(8000);
    expect(pace.waitMs).toBe(0);
  });

  test("is forgotten after a few timers of a node that has one a second", () => {
    const { pace, pass } = startedBusy();
    let timers = 0;
    while (pace.waitMs > 0 && timers < 100) {
      pass(1000);
      pace.late(1);
      timers++;
    }
    expect(timers).toBeLessThan(8);
  });

  test("stays while timers go on to be late", () => {
    const { pace, pass } = startedBusy();
    for (let i = 0; i < 100; i++) {
      pass(100);
      pace.late(20);
    }
    expect(pace.waitMs).toBe(50);
  });
});

describe("gathering", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  function busy(): { readonly out: number[]; readonly gathering: Gathering<number> } {
    const out: number[] = [];
    const gathering = new Gathering<number>((item) => out.push(item));
    for (let i = 0; i < 40; i++) gathering.pace.late(50);
    return { out, gathering };
  }

  test("lets everything through while there is time", () => {
    const out: number[] = [];
    const gathering = new Gathering<number>((item) => out.push(item));
    gathering.put(1);
    gathering.put(2);
    expect(out).toEqual([1, 2]);
  });

  test("keeps what comes within the wait of the first, and hands it on in its order", () => {
    const { out, gathering } = busy();
    gathering.put(1);
    vi.advanceTimersByTime(30);
    gathering.put(2);
    expect(out).toEqual([]);
    vi.advanceTimersByTime(20);
    expect(out).toEqual([1, 2]);
    gathering.put(3);
    gathering.flush();
    expect(out).toEqual([1, 2, 3]);
    vi.advanceTimersByTime(100);
    expect(out).toEqual([1, 2, 3]);
  });

  test("nothing overtakes what waits, though the machine is calm again", () => {
    const { out, gathering } = busy();
    gathering.put(1);
    for (let i = 0; i < 60; i++) gathering.pace.late(0);
    gathering.put(2);
    expect(out).toEqual([]);
    vi.advanceTimersByTime(50);
    expect(out).toEqual([1, 2]);
  });

  test("does not wait with more than a burst that is soon sent", () => {
    const { out, gathering } = busy();
    for (let i = 0; i < 300; i++) gathering.put(i);
    expect(out).toHaveLength(256);
    vi.advanceTimersByTime(50);
    expect(out).toEqual(Array.from({ length: 300 }, (_, i) => i));
  });
});
