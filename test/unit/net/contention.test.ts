/** How a thread tells that its machine is busy: by its waits for a core, or by its late timers. */
import { describe, expect, test } from "vitest";
import { Contention, type Waits } from "../../../runtime/net/contention.ts";

const untold = (): null => null;

describe("a thread whose waits are told", () => {
  function told(): {
    readonly contention: Contention;
    /** So many waits of so many ms each, in a quarter of a second. */
    readonly wait: (count: number, ms: number) => void;
  } {
    let nowMs = 0;
    let waits: Waits = { ms: 100, count: 1000 };
    const contention = new Contention(
      () => nowMs,
      () => waits,
    );
    return {
      contention,
      wait: (count, ms) => {
        nowMs += 250;
        waits = { ms: waits.ms + count * ms, count: waits.count + count };
        // It looks when it is asked.
        void contention.busy;
      },
    };
  }

  test("is not busy while it is given a core at once, however late a timer is", () => {
    const { contention, wait } = told();
    for (let i = 0; i < 20; i++) wait(100, 0.2);
    contention.late(100);
    expect(contention.busy).toBe(0);
  });

  test("is busy when it waits for milliseconds each time, and calm again after", () => {
    const { contention, wait } = told();
    for (let i = 0; i < 40; i++) wait(100, 4);
    expect(contention.busy).toBe(1);
    for (let i = 0; i < 40; i++) wait(100, 0.1);
    expect(contention.busy).toBe(0);
  });

  test("is a little busy after one long wait among many", () => {
    const { contention, wait } = told();
    wait(100, 0.1);
    wait(1, 50);
    expect(contention.busy).toBe(0);
    wait(99, 0.1);
    expect(contention.busy).toBeLessThan(0.1);
  });

  test("forgets with time, though nothing says that the machine is calm", () => {
    const { contention, wait } = told();
    for (let i = 0; i < 10; i++) wait(100, 4);
    for (let i = 0; i < 80; i++) wait(0, 0);
    expect(contention.busy).toBeLessThan(0.01);
  });
});

test("the waits of this very thread can be asked for", () => {
  const contention = new Contention();
  expect(contention.busy).toBeGreaterThanOrEqual(0);
  expect(contention.busy).toBeLessThanOrEqual(1);
});

describe("a thread whose waits are not told", () => {
  test("is not busy on a calm machine, nor by one timer that was late", () => {
    const contention = new Contention(() => 0, untold);
    for (let i = 0; i < 100; i++) contention.late(i % 3);
    expect(contention.busy).toBe(0);
    contention.late(500);
    expect(contention.busy).toBe(0);
  });

  test("is busier the later its timers are, up to a bound, and calm again when they are not", () => {
    const contention = new Contention(() => 0, untold);
    const busy: number[] = [];
    for (let i = 0; i < 40; i++) {
      contention.late(20);
      busy.push(contention.busy);
    }
    expect(busy).toEqual([...busy].sort((a, b) => a - b));
    expect(busy.at(-1)).toBe(1);
    contention.late(100_000);
    for (let i = 0; i < 40; i++) contention.late(1);
    expect(contention.busy).toBe(0);
  });
});

describe("a busy start", () => {
  function startedBusy(): { readonly contention: Contention; readonly pass: (ms: number) => void } {
    let nowMs = 0;
    const contention = new Contention(() => nowMs, untold);
    for (let i = 0; i < 60; i++) contention.late(50);
    expect(contention.busy).toBe(1);
    return {
      contention,
      pass: (ms) => {
        nowMs += ms;
      },
    };
  }

  test("is forgotten with time, though no timer says that the machine is calm", () => {
    const { contention, pass } = startedBusy();
    pass(1000);
    expect(contention.busy).toBe(1);
    pass(30_000);
    expect(contention.busy).toBeLessThan(0.01);
  });

  test("is forgotten after a few timers of a node that has one a second", () => {
    const { contention, pass } = startedBusy();
    let timers = 0;
    while (contention.busy > 0 && timers < 100) {
      pass(1000);
      contention.late(1);
      timers++;
    }
    expect(timers).toBeLessThan(8);
  });

  test("is remembered while timers go on to be late", () => {
    const { contention, pass } = startedBusy();
    for (let i = 0; i < 100; i++) {
      pass(100);
      contention.late(20);
    }
    expect(contention.busy).toBe(1);
  });
});
