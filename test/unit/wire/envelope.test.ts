import { describe, expect, test } from "vitest";
import { InvariantError } from "../../../core/base/assert.ts";
import {
  beginMessage,
  decodeMessage,
  decoderTable,
  kindOf,
  wireVersion,
} from "../../../core/wire/envelope.ts";
import { messageKinds } from "../../../core/wire/kinds.ts";
import { Writer } from "../../../core/wire/writer.ts";

const table = decoderTable<{ sequence: number; names: string[] }>({
  ping: (r) => {
    const sequence = r.varint();
    const names: string[] = [];
    for (let left = r.count(2, 10); left > 0; left--) {
      const outer = r.enter(100);
      names.push(r.string(20));
      r.leave(outer);
    }
    return { sequence, names };
  },
  ack: () => {
    throw new InvariantError("a bug in a decoder");
  },
});

function ping(extraInRecord: number[] = [], extraAtEnd: number[] = []): Uint8Array {
  const w = new Writer();
  beginMessage(w, "ping");
  w.varint(7);
  w.varint(1);
  const start = w.beginRecord();
  w.string("n1");
  w.raw(Uint8Array.from(extraInRecord));
  w.endRecord(start);
  w.raw(Uint8Array.from(extraAtEnd));
  return w.finish();
}

const known = { sequence: 7, names: ["n1"] };

describe("the edge", () => {
  test("WI01: a message is a version, a kind, and what its decoder makes of the rest", () => {
    expect([...ping().subarray(0, 2)]).toEqual([wireVersion, messageKinds.ping]);
    expect(decodeMessage(ping(), table, 1200)).toEqual({
      type: "message",
      message: known,
      unknownField: false,
    });
    expect(kindOf(ping())).toBe("ping");
    expect(kindOf(new Uint8Array(1))).toBeUndefined();
  });

  test("WI01: another wire version is rejected", () => {
    const bytes = ping().slice();
    bytes[0] = 2;
    expect(decodeMessage(bytes, table, 1200)).toEqual({ type: "rejected", why: "wire version 2" });
  });

  test("WI01: a kind of another plane is rejected, by name", () => {
    const bytes = Uint8Array.of(wireVersion, messageKinds.push, 0);
    expect(decodeMessage(bytes, table, 1200)).toEqual({
      type: "rejected",
      why: "push is not of this plane",
    });
  });

  test("WI06: a kind without a number here is unknown, not rejected", () => {
    expect(decodeMessage(Uint8Array.of(wireVersion, 250, 9, 9), table, 1200)).toEqual({
      type: "unknownKind",
      kind: 250,
    });
  });

  test("WI07: fields of a newer program, at the end or in a record, are passed over and told", () => {
    for (const bytes of [ping([1, 2]), ping([], [3]), ping([1], [2, 3, 4])]) {
      expect(decodeMessage(bytes, table, 1200)).toEqual({
        type: "message",
        message: known,
        unknownField: true,
      });
    }
  });

  test("WI05: every beginning of a message is rejected with a reason", () => {
    const whole = ping();
    for (let size = 0; size < whole.length; size++) {
      const decoded = decodeMessage(whole.slice(0, size), table, 1200);
      expect(decoded.type).toBe("rejected");
    }
    expect(decodeMessage(whole.slice(0, 4), table, 1200)).toEqual({
      type: "rejected",
      why: "ping: count is more than the bytes can hold",
    });
  });

  test("WI15: a message longer than its plane allows is rejected unread", () => {
    const bytes = new Uint8Array(1201);
    bytes.set(ping());
    expect(decodeMessage(bytes, table, 1200)).toEqual({
      type: "rejected",
      why: "longer than 1200 bytes",
    });
    expect(decodeMessage(bytes.subarray(0, 1200), table, 1200).type).toBe("message");
  });

  test("WI05: a bug in a decoder is not taken for hostile input", () => {
    const bytes = Uint8Array.of(wireVersion, messageKinds.ack);
    expect(() => decodeMessage(bytes, table, 1200)).toThrow(InvariantError);
  });

  test("WI01: kinds have numbers of one byte, each its own, and these for ever", () => {
    const numbers = Object.values(messageKinds);
    expect(new Set(numbers).size).toBe(numbers.length);
    for (const n of numbers) expect(n >= 1 && n <= 255).toBe(true);
    expect(messageKinds).toMatchObject({
      ping: 1,
      ack: 2,
      push: 32,
      syncDigest: 64,
      rowStates: 70,
    });
  });
});
