/** What a node says of itself while its store cannot take what peers send. */
import { describe, expect, test } from "vitest";
import type { ActorId } from "../../../core/base/ids.ts";
import type { Chunk } from "../../../core/node/store.ts";
import { RefusedVersions } from "../../../runtime/agent/refused-versions.ts";
import { Storing } from "../../../runtime/agent/storing.ts";

const a = "a".repeat(32) as ActorId;
const b = "b".repeat(32) as ActorId;

test("a node cannot store from the first failure to the next success", () => {
  const storing = new Storing();
  expect(storing.whyNot(0)).toBe(null);
  storing.note(1000, "the disk is full");
  expect(storing.whyNot(11_000)).toBe("the disk is full");
  storing.note(12_000, null);
  expect(storing.whyNot(12_000)).toBe(null);
});

test("a failure is forgotten when no peer is left to try again with", () => {
  const storing = new Storing();
  storing.note(1000, "the disk is full");
  expect(storing.whyNot(120_999)).toBe("the disk is full");
  expect(storing.whyNot(121_000)).toBe(null);
});

describe("versions that the store refused", () => {
  const heads = new Map<ActorId, number>();
  const headOf = (actor: ActorId): number => heads.get(actor) ?? 0;

  test("count until they are held, however often they come", () => {
    const refused = new RefusedVersions();
    const chunks = [chunk(a, 3), chunk(a, 5), chunk(a, 4), chunk(b, 2)];
    refused.refused(0, chunks);
    refused.refused(1000, chunks.slice(2));
    heads.set(a, 2);
    expect(refused.above(1000, headOf)).toBe(5);
    heads.set(a, 6);
    expect(refused.above(1000, headOf)).toBe(2);
    heads.set(b, 2);
    expect(refused.above(1000, headOf)).toBe(0);
  });

  test("go on counting while smaller versions of others fit", () => {
    const refused = new RefusedVersions();
    heads.clear();
    refused.refused(0, [chunk(a, 3)]);
    heads.set(b, 7);
    expect(refused.above(5000, headOf)).toBe(3);
  });

  test("are forgotten when nobody sends them any more", () => {
    const refused = new RefusedVersions();
    heads.clear();
    refused.refused(0, [chunk(a, 3)]);
    refused.refused(60_000, [chunk(a, 2)]);
    expect(refused.above(179_999, headOf)).toBe(3);
    expect(refused.above(180_000, headOf)).toBe(0);
  });
});

function chunk(actor: ActorId, version: number): Chunk {
  return { actor, version } as Chunk;
}
