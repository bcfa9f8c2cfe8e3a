import { describe, expect, test } from "vitest";
import type { Address, NodeId } from "../../../core/base/ids.ts";
import type { MemberState, Notice } from "../../../core/node/event.ts";
import { FalseDeaths } from "../../../sim/check/false-deaths.ts";
import { MemberHistory } from "../../../sim/check/member-history.ts";
import { MembershipCheck } from "../../../sim/check/membership.ts";
import type { SimNode } from "../../../sim/host/node.ts";
import { FakeContext, fakeNode } from "./fake-cluster.ts";

type Change = readonly [
  epoch: number,
  incarnation: number,
  state: MemberState,
  about?: string,
  nodeId?: string,
];

function notice([epoch, incarnation, state, about = "n1", nodeId = "1"]: Change): Notice {
  const id = nodeId.repeat(32) as NodeId;
  return { type: "member", about: about as Address, nodeId: id, state, incarnation, epoch };
}

/** What node 0 notices, one after another. */
function notices(...list: (Change | "forgotten" | "restart")[]): string[] {
  const context = new FakeContext();
  const node = fakeNode(0, {});
  context.nodes.push(node);
  const check = new MemberHistory(context);
  check.booted(node);
  for (const item of list) {
    if (item === "restart") check.booted(node);
    else if (item === "forgotten") {
      check.noticed(node, { type: "forgotten", about: "n1" as Address });
    } else check.noticed(node, notice(item));
  }
  return context.reports;
}

test.each<[string, string, (Change | "forgotten" | "restart")[]]>([
  [
    "an incarnation goes back",
    "incarnation goes back from 5 to 4",
    [
      [1, 5, "alive"],
      [1, 4, "alive"],
    ],
  ],
  [
    "an epoch goes back",
    "identity goes back",
    [
      [2, 0, "alive"],
      [1, 9, "alive"],
    ],
  ],
  [
    "an identity goes back within an epoch",
    "identity goes back",
    [
      [1, 0, "alive", "n1", "b"],
      [1, 0, "alive", "n1", "a"],
    ],
  ],
  [
    "the dead rise without a higher incarnation",
    "down becomes alive",
    [
      [1, 3, "down"],
      [1, 3, "alive"],
    ],
  ],
  [
    "who left is suspected anew",
    "left becomes suspect",
    [
      [1, 3, "left"],
      [1, 3, "suspect"],
    ],
  ],
  ["a running node takes itself for down", "takes itself for down", [[1, 3, "down", "n0"]]],
])("SI23: it is found when %s", (_what, found, list) => {
  expect(notices(...list).join()).toContain(found);
});

test.each<[string, (Change | "forgotten" | "restart")[]]>([
  [
    "a refutation",
    [
      [1, 3, "suspect"],
      [1, 4, "alive"],
    ],
  ],
  [
    "a death refuted",
    [
      [1, 3, "down"],
      [1, 4, "alive"],
    ],
  ],
  [
    "another identity",
    [
      [1, 9, "down"],
      [2, 0, "alive"],
    ],
  ],
  ["a member forgotten and met again", [[1, 9, "down"], "forgotten", [1, 2, "alive"]]],
  ["a restarted observer", [[1, 9, "alive"], "restart", [1, 2, "alive"]]],
])("SI23: %s passes", (_what, list) => {
  expect(notices(...list)).toEqual([]);
});

/** Node 0 sees node 1 (live unless told otherwise) as described. */
function sees(member: object | undefined, subject: object = {}): string[] {
  const context = new FakeContext();
  const one = fakeNode(1, subject);
  const self = { state: "alive", epoch: 100, nodeId: "0".repeat(32) };
  const memberOf = (address: string): object | undefined => (address === "n0" ? self : member);
  const zero: SimNode = fakeNode(0, { replica: { membership: { digest: 1, memberOf } } });
  context.nodes.push(zero, one);
  new MembershipCheck(context).atEnd();
  return context.reports;
}

const right = { state: "alive", epoch: 101, nodeId: "1".repeat(32) };

test("SI23: members that are not known as they are are found after healing", () => {
  expect(sees(right)).toEqual([]);
  expect(sees(undefined).join()).toContain("holds node 1, which is alive, for unknown");
  expect(sees({ ...right, state: "suspect" }).join()).toContain("for suspect");
  expect(sees({ ...right, state: "down" }).join()).toContain("for down");
  expect(sees({ ...right, epoch: 100 }).join()).toContain("an old identity of node 1");
  const gone = { live: false, life: "left" };
  expect(sees({ ...right, state: "left" }, gone)).toEqual([]);
  expect(sees(undefined, gone)).toEqual([]);
  expect(sees(right, gone).join()).toContain("holds node 1, which is left, for alive");
});

describe("false deaths", () => {
  type Parts = Partial<Record<"life" | "blocked" | "live" | "epoch", unknown>>;

  /** Node 0 holds node 1 for dead so often; @returns what is reported. */
  function deaths(
    times: number,
    allowed: number,
    parts: { observer?: Parts; subject?: Parts; apart?: boolean; epoch?: number } = {},
  ): string[] {
    const context = new FakeContext();
    const observer = fakeNode(0, parts.observer ?? {});
    context.nodes.push(observer, fakeNode(1, parts.subject ?? {}));
    if (parts.apart === true) context.trouble.push([0, 1]);
    const check = new FalseDeaths(context, allowed);
    for (let i = 0; i < times; i++) {
      check.noticed(observer, notice([parts.epoch ?? 101, i, "down"]));
      check.noticed(observer, notice([parts.epoch ?? 101, i + 1, "alive"]));
    }
    return context.reports;
  }

  test("SI30: a member that runs and can be reached may be held for dead as often as allowed", () => {
    expect(deaths(1, 0)).toEqual([
      expect.stringContaining("false-deaths 0: holds node 1 for dead"),
    ]);
    expect(deaths(2, 2)).toEqual([]);
    expect(deaths(3, 2)).toHaveLength(1);
  });

  test.each<[string, Parameters<typeof deaths>[2]]>([
    ["it does not run", { subject: { life: "paused" } }],
    ["it is crashed", { subject: { life: "crashed", live: false } }],
    ["its network stands still", { subject: { blocked: true } }],
    ["the network of the other stands still", { observer: { blocked: true } }],
    ["a fault lies between them", { apart: true }],
    ["an earlier life of it is meant", { epoch: 100 }],
  ])("SI30: it is no false death where %s", (_what, parts) => {
    expect(deaths(3, 0, parts)).toEqual([]);
  });
});
