/**
 * Whether a query ends by itself within moments, told from the program that SQLite made of it
 * (sqlite.org/opcode.html). SQLite cannot be interrupted from outside, so only a query of which that
 * is certain may run where others wait. A program is short when it goes round in no circle, or yields
 * a row in each: then the work between two rows is bounded, however large the tables are. An opcode
 * that is not listed here makes a program long: nothing depends on knowing all of them.
 */

/** A line of `EXPLAIN`. */
export interface Instruction {
  readonly opcode: string;
  readonly p2: number;
}

/** Go on with the next; the work is that of one row, or one look into a tree. */
const plain = new Set([
  "Add",
  "AddImm",
  "Affinity",
  "BitAnd",
  "BitNot",
  "BitOr",
  "Blob",
  "Cast",
  "Close",
  "CollSeq",
  "Column",
  "Copy",
  "DeferredSeek",
  "Divide",
  "Explain",
  "IdxRowid",
  "Int64",
  "Integer",
  "MakeRecord",
  "Move",
  "Multiply",
  "Noop",
  "Not",
  "Null",
  "NullRow",
  "OpenRead",
  "Real",
  "RealAffinity",
  "Remainder",
  "ReopenIdx",
  "ResultRow",
  "Rowid",
  "SCopy",
  "SeekHit",
  "SoftNull",
  "String",
  "String8",
  "Subtract",
  "TableLock",
  "Transaction",
  "Variable",
]);

/** Go on with the next, or at `p2`. */
const branches = new Set([
  "DecrJumpZero",
  "Eq",
  "Found",
  "Ge",
  "Gt",
  "IdxGE",
  "IdxGT",
  "IdxLE",
  "IdxLT",
  "If",
  "IfNot",
  "IfNotOpen",
  "IfNotZero",
  "IfNullRow",
  "IfPos",
  "IsNull",
  "Last",
  "Le",
  "Lt",
  "MustBeInt",
  "Ne",
  "Next",
  "NotExists",
  "NotFound",
  "NotNull",
  "Once",
  "Prev",
  "Rewind",
  "SeekGE",
  "SeekGT",
  "SeekLE",
  "SeekLT",
  "SeekRowid",
]);

const jumps = new Set(["Goto", "Init"]);

/** `row`: one row at the most. `rows`: any number, each a bounded step. `long`: nothing is certain. */
export type ProgramLength = "row" | "rows" | "long";

export function lengthOf(program: readonly Instruction[]): ProgramLength {
  const next: (readonly number[])[] = [];
  for (let at = 0; at < program.length; at++) {
    const following = followers(program, at);
    if (following === null) return "long";
    next.push(following);
  }
  if (!hasCycle(next)) return "row";
  const withoutRows = next.map((following, at) =>
    program[at]?.opcode === "ResultRow" ? [] : following,
  );
  return hasCycle(withoutRows) ? "long" : "rows";
}

/** Where the program may go on after the instruction `at`; null: not known. */
function followers(program: readonly Instruction[], at: number): readonly number[] | null {
  const { opcode, p2 } = program[at] as Instruction;
  if (opcode === "Halt") return [];
  if (plain.has(opcode)) return [at + 1];
  if (p2 < 0 || p2 >= program.length) return null;
  if (jumps.has(opcode)) return [p2];
  return branches.has(opcode) ? [at + 1, p2] : null;
}

function hasCycle(next: readonly (readonly number[])[]): boolean {
  /** 1: on the way from the start, 2: leads round nowhere. */
  const state = new Uint8Array(next.length);
  for (let start = 0; start < next.length; start++) {
    if (state[start] !== 0) continue;
    const path = [{ at: start, taken: 0 }];
    state[start] = 1;
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const to = next[top.at]?.[top.taken++];
      if (to === undefined) {
        state[top.at] = 2;
        path.pop();
      } else if (state[to] === 1) {
        return true;
      } else if (state[to] === 0) {
        state[to] = 1;
        path.push({ at: to, taken: 0 });
      }
    }
  }
  return false;
}
