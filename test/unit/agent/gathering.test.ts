/** How a node's own versions wait for one another where the cores are taken. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Gathering } from "../../../runtime/agent/gathering.ts";
import { Contention } from "../../../runtime/net/contention.ts";

describe("gathering", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  function busy(): {
    readonly out: number[];
    readonly contention: Contention;
    readonly gathering: Gathering<number>;
  } {
    const out: number[] = [];
    const contention = new Contention(
      () => 0,
      () => null,
    );
    const gathering = new Gathering<number>(contention, (item) => out.push(item));
    for (let i = 0; i < 40; i++) contention.late(50);
    return { out, contention, gathering };
  }

  test("lets everything through while there is time", () => {
    const out: number[] = [];
    const gathering = new Gathering<number>(
      new Contention(
        () => 0,
        () => null,
      ),
      (item) => out.push(item),
    );
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
    const { out, contention, gathering } = busy();
    gathering.put(1);
    for (let i = 0; i < 60; i++) contention.late(0);
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
