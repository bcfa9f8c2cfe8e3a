/** Faults in membership. */
import type { Mutant, SimTry } from "./mutant.ts";

const members: readonly SimTry[] = [
  { scenario: "restless-members", seeds: 15 },
  { scenario: "nemesis", seeds: 6 },
];
const cut: readonly SimTry[] = [{ scenario: "long-partition", seeds: 5 }];
/** The tests of one part of membership: all of them together take a minute. */
const testsOf = (...parts: readonly string[]): readonly string[] =>
  parts.map((part) => `test/unit/swim/${part}.test.ts`);

export const swimMutants: readonly Mutant[] = [
  {
    name: "swim-refutes-at-the-same-incarnation",
    file: "core/swim/own.ts",
    find: "this.#context.counters.refutations++;\n      this.#raise(now, incarnation + 1, out);",
    replace: "this.#context.counters.refutations++;\n      this.#raise(now, incarnation, out);",
    fault: "a suspect cannot clear itself",
    sim: members,
    tests: testsOf("own"),
  },
  {
    name: "swim-alive-clears-suspect-at-once",
    file: "core/swim/precedence.ts",
    find: `clears a suspicion…
        case "suspect":
          return newer;`,
    replace: `clears a suspicion…
        case "suspect":
          return sameOrNewer;`,
    fault: "hearsay that a member was alive undoes a suspicion of it",
    sim: members,
    tests: testsOf("precedence"),
  },
  {
    name: "swim-down-does-not-beat-suspect",
    file: "core/swim/precedence.ts",
    find: `// The suspicion ran out.
        case "suspect":
          return sameOrNewer;`,
    replace: `// The suspicion ran out.
        case "suspect":
          return newer;`,
    fault: "a death is believed only by those who found it out themselves",
    sim: members,
    tests: testsOf("precedence"),
  },
  {
    name: "swim-left-does-not-beat-down",
    file: "core/swim/precedence.ts",
    find: `// Taken for dead while its leave was on the way.
        case "down":
          return sameOrNewer;`,
    replace: `// Taken for dead while its leave was on the way.
        case "down":
          return newer;`,
    fault: "who left is knocked at for ever by those who took it for dead",
    sim: members,
    tests: testsOf("precedence"),
  },
  {
    name: "swim-takes-older-claims",
    file: "core/swim/claims.ts",
    find: "if (!beats(state, incarnation, heldState, heldIncarnation)) {",
    replace:
      "if (!beats(state, incarnation, heldState, heldIncarnation) && incarnation === heldIncarnation) {",
    fault: "a claim at a lower incarnation replaces a newer one",
    sim: members,
    tests: testsOf("judging"),
  },
  {
    name: "swim-older-identity-holds-the-address",
    file: "core/swim/identity.ts",
    find: "if (a.epoch !== b.epoch) return a.epoch - b.epoch;",
    replace: "if (a.epoch !== b.epoch) return b.epoch - a.epoch;",
    fault: "a restarted node is taken for an impostor of its older self",
    sim: members,
    tests: testsOf("judging"),
  },
  {
    name: "swim-suspicions-never-end",
    file: "core/swim/claims.ts",
    find: "if (suspicions.deadlineAt(i) <= now.monoMs + 0.001) {",
    replace: "if (suspicions.deadlineAt(i) <= 0) {",
    fault: "a dead member stays suspect for ever",
    sim: members,
    tests: testsOf("news", "judging"),
  },
  {
    name: "swim-closes-the-wrong-suspicion",
    file: "core/swim/claims.ts",
    find: "    if (moved >= 0) roster.setNote(moved, index);\n",
    replace: "",
    fault: "when one suspicion ends, another member's loses its place",
    sim: members,
    tests: testsOf("judging"),
  },
  {
    name: "swim-leaves-without-a-word",
    file: "core/swim/membership.ts",
    find: "    context.rumors.add(slot, false);\n    context.fresh = true;\n    context.arm(timerLeave",
    replace: "    context.arm(timerLeave",
    fault: "a member that leaves is found dead instead",
    sim: members,
    tests: testsOf("coming-and-going", "pitfalls-identity", "pitfalls-dissemination"),
  },
  {
    name: "swim-never-knocks-again",
    file: "core/swim/joiner.ts",
    find: "if (roster.downs === 0 && (this.#joining || !this.#seedsUnmet())) return;",
    replace: "if (this.#joining || !this.#seedsUnmet()) return;",
    fault: "the sides of a long partition never find each other again",
    sim: cut,
    tests: testsOf("pitfalls-healing"),
  },
  {
    name: "swim-rumors-never-end",
    file: "core/swim/rumors.ts",
    find: "if (sent >= limit || sent > maxSent) this.remove(slot);",
    replace: "if (sent >= limit || sent > maxSent) return;",
    fault: "old news is told for ever",
    sim: members,
    tests: testsOf("news"),
  },
  {
    name: "swim-any-ack-will-do",
    file: "core/swim/prober.ts",
    find: "    if (this.#context.directory.tagLo(this.#entry) !== tag) return false;\n",
    replace: "",
    fault: "an ack of the new process at an address keeps the old identity alive",
    sim: [],
    tests: testsOf("probing"),
  },
  {
    name: "swim-ack-of-another-probe-counts",
    file: "core/swim/prober.ts",
    find: "if (this.#slot < 0 || seq !== this.#probeSeq) return false;",
    replace: "if (this.#slot < 0) return false;",
    fault: "a late ack answers the wrong probe",
    sim: [],
    tests: testsOf("probing"),
  },
  {
    name: "swim-believes-hearsay",
    file: "core/swim/claims.ts",
    find: 'if (exchanged || roster.stateAt(slot) !== "suspect") return false;',
    replace: 'if (exchanged && roster.stateAt(slot) !== "suspect") return true;',
    fault: "a death heard of in a state exchange is believed with no time for the member to speak",
    sim: [{ scenario: "healing-halves", seeds: 8 }],
    tests: testsOf("judging", "pitfalls-healing"),
  },
  {
    name: "swim-judges-after-a-standstill",
    file: "core/swim/membership.ts",
    find: "    this.#claims.postpone(now, late + this.#context.config.periodMs, out);\n",
    replace: "",
    fault: "a node that was frozen takes those for dead whom it could not hear meanwhile",
    sim: [],
    tests: testsOf("probing"),
  },
  {
    name: "swim-confirmations-counted-twice",
    file: "core/swim/suspicions.ts",
    find: "    for (let i = 0; i < count; i++) if (this.accuserAt(index, i) === accuser) return false;\n",
    replace: "",
    fault: "one accuser that says it thrice counts as three",
    sim: [],
    tests: testsOf("news"),
  },
  {
    name: "swim-ignores-its-double",
    file: "core/swim/own.ts",
    find: "    this.renewIfDue(now, out);\n",
    replace: "",
    fault: "a node whose address is claimed under a higher epoch never takes it back",
    sim: members,
    tests: testsOf("own"),
  },
];
