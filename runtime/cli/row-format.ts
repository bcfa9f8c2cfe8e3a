/** Rows of a query in the form that was asked for, written as they come. */
import type { Value } from "../../core/crdt/value.ts";
import { valueText } from "../api/value-text.ts";
import type { Terminal } from "./terminal.ts";

export const rowFormats = ["table", "csv", "json", "ndjson"] as const;
export type RowFormat = (typeof rowFormats)[number];

export interface RowWriter {
  row(row: readonly Value[]): void;
  end(): void;
}

/** @param header names the columns first; JSON names them in each row anyway. */
export function rowWriter(
  format: RowFormat,
  columns: readonly string[],
  header: boolean,
  terminal: Terminal,
): RowWriter {
  switch (format) {
    case "table":
      return new TableWriter(columns, header, terminal);
    case "csv":
      if (header) terminal.print(columns.map(csvText).join(","));
      return { row: (row) => terminal.print(row.map(csvCell).join(",")), end() {} };
    case "ndjson":
      return { row: (row) => terminal.print(objectText(columns, row)), end() {} };
    case "json":
      return jsonWriter(columns, terminal);
  }
}

function jsonWriter(columns: readonly string[], terminal: Terminal): RowWriter {
  let last: string | null = null;
  let begun = false;
  const put = (comma: string): void => {
    if (last !== null) terminal.print(`  ${last}${comma}`);
  };
  return {
    row(row) {
      if (!begun) terminal.print("[");
      begun = true;
      put(",");
      last = objectText(columns, row);
    },
    end() {
      if (!begun) {
        terminal.print("[]");
        return;
      }
      put("");
      terminal.print("]");
    },
  };
}

/** Column widths are those of the first rows; a later, wider cell moves its own line only. */
const rowsMeasured = 500;
const gap = "  ";

class TableWriter implements RowWriter {
  readonly #columns: readonly string[];
  readonly #header: boolean;
  readonly #terminal: Terminal;
  #held: string[][] | null = [];
  readonly #widths: number[];

  constructor(columns: readonly string[], header: boolean, terminal: Terminal) {
    this.#columns = columns;
    this.#header = header;
    this.#terminal = terminal;
    this.#widths = columns.map((name) => (header ? name.length : 0));
  }

  row(row: readonly Value[]): void {
    const cells = row.map(tableCell);
    if (this.#held === null) {
      this.#print(cells);
      return;
    }
    this.#held.push(cells);
    if (this.#held.length >= rowsMeasured) this.#release();
  }

  end(): void {
    this.#release();
  }

  #release(): void {
    const held = this.#held;
    if (held === null) return;
    this.#held = null;
    for (const cells of held) {
      cells.forEach((cell, i) => {
        this.#widths[i] = Math.max(this.#widths[i] ?? 0, cell.length);
      });
    }
    if (this.#header) this.#print(this.#columns, (text) => this.#terminal.paint("bold", text));
    for (const cells of held) this.#print(cells);
  }

  #print(cells: readonly string[], paint = (text: string): string => text): void {
    const last = cells.length - 1;
    const padded = cells.map((cell, i) => (i === last ? cell : cell.padEnd(this.#widths[i] ?? 0)));
    this.#terminal.print(paint(padded.join(gap)));
  }
}

function tableCell(value: Value): string {
  if (value === null) return "NULL";
  if (value instanceof Uint8Array) return blobText(value);
  if (typeof value === "string") return value.replace(/[\r\n\t]/g, shownEscape);
  return valueText(value);
}

function shownEscape(character: string): string {
  return character === "\n" ? "\\n" : character === "\r" ? "\\r" : "\\t";
}

/** As RFC 4180 has it; NULL is nothing at all, an empty text is "". */
function csvCell(value: Value): string {
  if (value === null) return "";
  if (value instanceof Uint8Array) return blobText(value);
  return typeof value === "string" ? csvText(value) : valueText(value);
}

function csvText(text: string): string {
  return text === "" || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function blobText(bytes: Uint8Array): string {
  return `x'${Buffer.from(bytes).toString("hex")}'`;
}

function objectText(columns: readonly string[], row: readonly Value[]): string {
  const cells = row.map((value, i) => `${JSON.stringify(columns[i] ?? "")}:${valueText(value)}`);
  return `{${cells.join(",")}}`;
}
