/** Why a value won, in words: each rule of the merge has its sentence. */
import { describe, expect, test } from "vitest";
import { nodeVision, referenceVision } from "../../../visualizer/model/diff.ts";
import { explain, type Explanation } from "../../../visualizer/model/explain.ts";
import { RowReader } from "../../../visualizer/model/row-reader.ts";
import type { Trace } from "../../../visualizer/model/trace.ts";
import { buildIndex } from "../../../visualizer/model/trace-index.ts";
import { actors, apply, commit, header, lines, readTrace, traceOf } from "./read.ts";

/** About row 0; `column` −1 is the row, `node` −1 the merge of everything. */
function ask(trace: Trace, column: number, node = -1, event = trace.count - 1): Explanation {
  const index = buildIndex(trace);
  const vision =
    node < 0
      ? referenceVision(trace, index.survivors, "written", event)
      : nodeVision(index.held, node, event);
  return explain(new RowReader(trace), index, { row: 0, column, node, vision });
}

const verdicts = ({ candidates }: Explanation): string[] =>
  candidates.map(({ name, verdict }) => `${name} ${verdict}`);

describe("explanations", () => {
  test("a value without a rival says so", () => {
    const told = ask(traceOf(commit(1, 0, 1, { cells: [["v", "x"]] })), 0);
    expect(told.title).toBe("kv['a'].v");
    expect(told.value).toBe("'x'");
    expect(told.sentences).toEqual([
      "The merge shows 'x', written by n0:1: nothing else competes for it.",
    ]);
  });

  test("the later stamp wins, and by how much is told", () => {
    const trace = traceOf(
      commit(1, 0, 1, { ms: 1000, cells: [["v", "x"]] }),
      commit(2, 1, 1, { ms: 1412, cells: [["v", "y"]] }),
    );
    const told = ask(trace, 0);
    expect(told.value).toBe("'y'");
    expect(told.sentences[1]).toBe(
      "n0:1 wrote 'x', but its stamp is 412 ms older, and the later stamp wins.",
    );
    expect(verdicts(told)).toEqual(["n1:1 wins", "n0:1 older stamp"]);
  });

  test("a winner that was written earlier had its clock ahead", () => {
    const trace = traceOf(
      commit(1, 0, 1, { ms: 90_000, cells: [["v", "x"]] }),
      commit(2, 1, 1, { ms: 2000, cells: [["v", "y"]] }),
    );
    expect(ask(trace, 0).sentences[1]).toContain("its author's clock was ahead");
  });

  test("within a millisecond the larger counter wins", () => {
    const trace = traceOf(
      commit(1, 0, 1, { ms: 5, counter: 1, cells: [["v", "x"]] }),
      commit(2, 1, 1, { ms: 5, counter: 2, cells: [["v", "y"]] }),
    );
    expect(ask(trace, 0).sentences[1]).toContain("n1:1 has 2, and the larger counter wins");
  });

  test("equal stamps are decided by the actor id", () => {
    const trace = traceOf(
      commit(1, 0, 1, { ms: 5, cells: [["v", "x"]] }),
      commit(2, 1, 1, { ms: 5, cells: [["v", "y"]] }),
    );
    expect(ask(trace, 0).sentences[1]).toContain(
      "the larger actor id decides: bbbbbbbb… over aaaaaaaa…",
    );
  });

  test("a delete beats every update of the life it ended", () => {
    const trace = traceOf(
      commit(1, 0, 1, { ms: 1 }),
      commit(2, 1, 1, { ms: 2, cl: 2, cells: [] }),
      commit(3, 0, 2, { ms: 99, cells: [["v", "late"]] }),
    );
    const told = ask(trace, 0);
    expect(told.value).toBe("deleted");
    expect(told.sentences[0]).toBe(
      "The merge has deleted the row: n1:1 raised its causal length to 2, an even number, and a delete beats every update of the life it ended.",
    );
    expect(verdicts(told)).toEqual(["n1:1 wins", "n0:2 older life", "n0:1 older life"]);
  });

  test("a new life leaves the writes of the old one behind, whatever their stamps", () => {
    const trace = traceOf(
      commit(1, 0, 1, { ms: 1 }),
      commit(2, 1, 1, { ms: 2, cl: 2, cells: [] }),
      commit(3, 1, 2, { ms: 3, cl: 3, cells: [["v", "born again"]] }),
      commit(4, 0, 2, { ms: 99, cells: [["v", "late"]] }),
    );
    const told = ask(trace, 0);
    expect(told.value).toBe("'born again'");
    expect(told.sentences.at(-1)).toBe(
      "The row was deleted and inserted again, so its causal length is 3: the 3 writes of earlier lives no longer count, although one of them has a later stamp.",
    );
    expect(ask(trace, -1).sentences[0]).toBe(
      "The merge has the row, in its 2nd life (causal length 3); last written by n1:2.",
    );
    expect(verdicts(told)).toContain("n1:1 undone");
  });

  test("a column that this life never wrote shows its default", () => {
    const trace = traceOf(commit(1, 0, 1, { key: "b" }), commit(2, 0, 2, { cells: [["n", 1]] }));
    const index = buildIndex(trace);
    const vision = referenceVision(trace, index.survivors, "written", 1);
    const told = explain(new RowReader(trace), index, { row: 1, column: 0, node: -1, vision });
    expect(told.value).toBe("''");
    expect(told.sentences[0]).toContain("the column's default");
  });

  test("a node that lacks the winner is told when it comes", () => {
    const trace = traceOf(
      commit(1000, 0, 1, { ms: 1, cells: [["v", "x"]] }),
      apply(2000, 1, 0, 1),
      commit(5000, 0, 2, { ms: 9, cells: [["v", "y"]] }),
      apply(900_000, 1, 0, 2, "sync"),
    );
    const told = ask(trace, 0, 1, 2);
    expect(told.value).toBe("'x'");
    expect(told.sentences.at(-1)).toBe(
      "n1 has not received n0:2 ('y'), written 0 µs ago; it arrives 895 ms later.",
    );
    expect(verdicts(told)).toEqual(["n0:1 wins", "n0:2 not received"]);
  });

  test("a version that newer writes have replaced never needs to arrive", () => {
    const heads = { [actors[0] as string]: 2 };
    const trace = traceOf(
      commit(1000, 0, 1, { ms: 1, cells: [["v", "x"]] }),
      commit(5000, 0, 2, { ms: 9, cells: [["v", "y"]] }),
      apply(6000, 1, 0, 2),
      { t: 7000, k: "state", n: 1, hash: "0000000000000001", heads, gaps: 0, rows: 1 },
    );
    expect(ask(trace, 0, 1, 2).sentences.at(-1)).toBe(
      "n1 has not received n0:1 ('x'), written 5 ms ago; by 1 ms later newer writes have replaced it, so that its content never needs to arrive.",
    );
  });

  test("a row that a node never heard of", () => {
    const told = ask(traceOf(commit(1, 0, 1)), -1, 2);
    expect(told.value).toBe("no such row");
    expect(told.sentences[0]).toBe("n2 has not heard of this row.");
  });

  test("counters add up, max and min pass over what is less", () => {
    const schema = [
      "CREATE TABLE kv (k TEXT NOT NULL PRIMARY KEY, c INTEGER COUNTER NOT NULL DEFAULT 0, hi INTEGER MAX)",
    ];
    const trace = readTrace(
      lines(
        header(3, { schema }),
        commit(1, 0, 1, {
          ms: 1,
          cells: [
            ["c", 10],
            ["hi", 7],
          ],
        }),
        commit(2, 1, 1, { ms: 2, cells: [["c", { add: 3 }]] }),
        commit(3, 2, 1, {
          ms: 3,
          cells: [
            ["c", { add: -1 }],
            ["hi", 5],
          ],
        }),
        commit(4, 1, 2, { ms: 4, cells: [["c", { add: 4 }]] }),
      ),
    );
    const counter = ask(trace, 0);
    expect(counter.value).toBe("16");
    expect(verdicts(counter)).toEqual(["n0:1 wins", "n1:2 counts", "n2:1 counts", "n1:1 included"]);
    expect(counter.sentences.at(-1)).toBe(
      "It is a counter: n1:2, n2:1 all add to it, whoever came later.",
    );
    const highest = ask(trace, 1);
    expect(highest.value).toBe("7");
    expect(highest.sentences).toContain(
      "The column keeps the largest value, so n2:1 (5) gives way whatever its stamp.",
    );
  });
});
