/** The lines of a query's answer, read exactly. */
import type { Value } from "../../core/crdt/value.ts";
import { JsonText } from "../api/json-text.ts";

export type AnswerLine =
  | { readonly type: "columns"; readonly columns: readonly string[] }
  | { readonly type: "row"; readonly row: readonly Value[] }
  | { readonly type: "end"; readonly seconds: number }
  | {
      readonly type: "error";
      readonly error: string;
      readonly code?: string;
      readonly hint?: string;
      readonly sqlite?: string;
    };

const rowStart = '{"row":[';

/** @throws JsonSyntaxError */
export function readLine(line: string): AnswerLine {
  if (line.startsWith(rowStart)) return { type: "row", row: cellsOf(line) };
  const { columns, eoq, ...rest } = JSON.parse(line) as {
    columns?: string[];
    eoq?: { time: number };
    error?: string;
    code?: string;
    hint?: string;
    sqlite?: string;
  };
  if (columns !== undefined) return { type: "columns", columns };
  if (eoq !== undefined) return { type: "end", seconds: eoq.time };
  return { ...rest, type: "error", error: rest.error ?? line };
}

function cellsOf(line: string): Value[] {
  const json = new JsonText(line.slice(rowStart.length));
  json.number();
  json.expect(",");
  return readList(json);
}

function readList(json: JsonText): Value[] {
  const cells: Value[] = [];
  json.expect("[");
  if (json.takes("]")) return cells;
  do cells.push(cell(json));
  while (json.more("]"));
  return cells;
}

function cell(json: JsonText): Value {
  switch (json.peek()) {
    case '"':
      return json.string();
    case "[":
      return json.bytes();
    default:
      return json.takesWord("null") ? null : json.number();
  }
}
