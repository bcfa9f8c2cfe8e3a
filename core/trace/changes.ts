/** A version's chunks as the `changes` of a `commit` line. */
import type { Chunk } from "../node/store.ts";
import { decodeChanges } from "../wire/changes.ts";
import { tagValue } from "./tagged-value.ts";
import type { TraceChange } from "./trace-event.ts";

/** @throws WireError on payloads that no author made. */
export function traceChanges(chunks: readonly Chunk[]): TraceChange[] {
  const changes: TraceChange[] = [];
  for (const chunk of chunks) {
    for (const row of decodeChanges(chunk.payload)) {
      changes.push([
        row.table,
        row.key.map(tagValue),
        row.causalLength,
        row.cells.map((cell) =>
          "add" in cell
            ? [cell.column, { add: tagValue(cell.add) }]
            : [cell.column, tagValue(cell.value)],
        ),
      ]);
    }
  }
  return changes;
}
