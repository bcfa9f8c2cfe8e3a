/** When acknowledgements of short packets leave. */
import { expect, test } from "vitest";
import { Contention } from "../../../runtime/net/contention.ts";
import { AckDelay } from "../../../runtime/net/quic/ack-delay.ts";

test("a lone short packet is acknowledged a little later, two are at once", () => {
  const ack = new AckDelay(
    new Contention(
      () => 0,
      () => null,
    ),
  );
  ack.received(300);
  expect(ack.mayWait(true)).toBe(true);
  const { dueMs } = ack;
  expect(dueMs).toBeLessThan(performance.now() + 1000);
  ack.received(300);
  expect(ack.mayWait(true)).toBe(false);
  ack.sent();
  expect(ack.dueMs).toBe(Number.POSITIVE_INFINITY);
  ack.received(300);
  expect(ack.mayWait(true)).toBe(true);
});

test("a full packet waits for nothing", () => {
  const ack = new AckDelay(
    new Contention(
      () => 0,
      () => null,
    ),
  );
  ack.received(1350);
  expect(ack.mayWait(true)).toBe(false);
});

test("what is said anyway takes the acknowledgement along", () => {
  const ack = new AckDelay(
    new Contention(
      () => 0,
      () => null,
    ),
  );
  ack.received(300);
  ack.wrote();
  expect(ack.mayWait(true)).toBe(false);
});

test("where nothing came, whatever is to be sent leaves", () => {
  const ack = new AckDelay(
    new Contention(
      () => 0,
      () => null,
    ),
  );
  ack.received(50);
  expect(ack.mayWait(false)).toBe(false);
});

test("on a busy machine more short packets wait for one acknowledgement, and longer", () => {
  const contention = new Contention(
    () => 0,
    () => null,
  );
  for (let i = 0; i < 40; i++) contention.late(50);
  const ack = new AckDelay(contention);
  for (let i = 0; i < 7; i++) {
    ack.received(100);
    expect(ack.mayWait(true)).toBe(true);
  }
  expect(ack.dueMs).toBeGreaterThan(performance.now() + 50);
  ack.received(100);
  expect(ack.mayWait(true)).toBe(false);
  ack.sent();
  ack.received(1350);
  expect(ack.mayWait(true)).toBe(false);
});
