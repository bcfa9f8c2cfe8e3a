/**
 * Messages by which two nodes that hold the same versions but not the same rows find where they
 * differ and mend it: digests of tables, digests of key ranges, row states. Each carries the
 * sender's holdings hash of the moment at which its store answered, because only equal holdings
 * can be compared.
 */
import type { RangeDigest, RowState } from "../node/store.ts";
import { beginMessage, type Decoder } from "./envelope.ts";
import { maxKeyBytes, maxNameBytes, maxRowsPerPayload } from "./limits.ts";
import type { Reader } from "./reader.ts";
import { readRowState, writeRowState } from "./row-state.ts";
import { WireError } from "./wire-error.ts";
import { hashOfHex, hexOfHash, readHash, type WireHash, writeHash } from "./wire-hash.ts";
import { Writer } from "./writer.ts";

export type TableDigest = readonly [table: string, hash: string];

interface Step {
  /** Of the repair session; its answers carry it too. */
  readonly token: number;
  readonly holdings: WireHash;
}

export type RepairMessage =
  | ({ readonly type: "tableDigests"; readonly digests: readonly TableDigest[] } & Step)
  /** Those of the tables told that differ here; `comparable`: holdings were equal. */
  | ({
      readonly type: "tablesDiffer";
      readonly comparable: boolean;
      readonly tables: readonly string[];
    } & Step)
  /** Digests of consecutive ranges from `ranges[0].from` to `to`. */
  | ({
      readonly type: "rangeDigests";
      readonly table: string;
      readonly to: Uint8Array;
      readonly ranges: readonly RangeDigest[];
    } & Step)
  /** Numbers of the ranges that differ here. */
  | ({
      readonly type: "rangesDiffer";
      readonly comparable: boolean;
      readonly ranges: readonly number[];
    } & Step)
  /** Rows of `[from, to)`: to be merged, and answered by one's own. */
  | ({
      readonly type: "rows";
      readonly answer: boolean;
      readonly table: string;
      readonly from: Uint8Array;
      readonly to: Uint8Array;
      readonly rows: readonly RowState[];
    } & Step);

/** Tables of one schema, ranges of one step. */
export const maxTables = 4096;
export const maxRangesPerStep = 64;

const part = { tableDigests: 0, tablesDiffer: 1, rangeDigests: 2, rangesDiffer: 3 } as const;

const writer = new Writer(4096);

export function encodeRepair(message: RepairMessage): Uint8Array {
  beginMessage(writer, message.type === "rows" ? "rowStates" : "rangeDigest");
  if (message.type !== "rows") writer.u8(part[message.type]);
  writer.varint(message.token);
  writeHash(writer, message.holdings);
  switch (message.type) {
    case "tableDigests":
      writer.varint(message.digests.length);
      for (const [table, hash] of message.digests) {
        writer.string(table);
        writeHash(writer, hashOfHex(hash));
      }
      break;
    case "tablesDiffer":
      writer.u8(message.comparable ? 1 : 0);
      writer.varint(message.tables.length);
      for (const table of message.tables) writer.string(table);
      break;
    case "rangeDigests":
      writer.string(message.table);
      writer.bytes(message.to);
      writer.varint(message.ranges.length);
      for (const { from, rows, hash } of message.ranges) {
        writer.bytes(from);
        writer.varint(rows);
        writeHash(writer, hashOfHex(hash));
      }
      break;
    case "rangesDiffer":
      writer.u8(message.comparable ? 1 : 0);
      writer.varint(message.ranges.length);
      for (const range of message.ranges) writer.varint(range);
      break;
    case "rows":
      writer.u8(message.answer ? 1 : 0);
      writer.string(message.table);
      writer.bytes(message.from);
      writer.bytes(message.to);
      writer.varint(message.rows.length);
      for (const row of message.rows) writeRowState(writer, row);
      break;
  }
  return writer.finish();
}

function readStep(r: Reader): RepairMessage {
  const which = r.u8();
  const token = r.varint();
  const holdings = readHash(r);
  switch (which) {
    case part.tableDigests: {
      const count = r.count(9, maxTables);
      const digests: TableDigest[] = [];
      for (let i = 0; i < count; i++)
        digests.push([r.string(maxNameBytes), hexOfHash(readHash(r))]);
      return { type: "tableDigests", token, holdings, digests };
    }
    case part.tablesDiffer: {
      const comparable = r.u8() !== 0;
      const count = r.count(1, maxTables);
      const tables: string[] = [];
      for (let i = 0; i < count; i++) tables.push(r.string(maxNameBytes));
      return { type: "tablesDiffer", token, holdings, comparable, tables };
    }
    case part.rangeDigests: {
      const table = r.string(maxNameBytes);
      const to = r.bytes(maxKeyBytes);
      const count = r.count(10, maxRangesPerStep);
      const ranges: RangeDigest[] = [];
      for (let i = 0; i < count; i++) {
        ranges.push({ from: r.bytes(maxKeyBytes), rows: r.varint(), hash: hexOfHash(readHash(r)) });
      }
      return { type: "rangeDigests", token, holdings, table, to, ranges };
    }
    case part.rangesDiffer: {
      const comparable = r.u8() !== 0;
      const count = r.count(1, maxRangesPerStep);
      const ranges: number[] = [];
      for (let i = 0; i < count; i++) ranges.push(r.varint());
      return { type: "rangesDiffer", token, holdings, comparable, ranges };
    }
    default:
      throw new WireError("no such step of a repair");
  }
}

function readRows(r: Reader): RepairMessage {
  const token = r.varint();
  const holdings = readHash(r);
  const answer = r.u8() !== 0;
  const table = r.string(maxNameBytes);
  const from = r.bytes(maxKeyBytes);
  const to = r.bytes(maxKeyBytes);
  const count = r.count(4, maxRowsPerPayload);
  const rows: RowState[] = [];
  for (let i = 0; i < count; i++) rows.push(readRowState(r));
  return { type: "rows", token, holdings, answer, table, from, to, rows };
}

export const repairDecoders: {
  readonly rangeDigest: Decoder<RepairMessage>;
  readonly rowStates: Decoder<RepairMessage>;
} = { rangeDigest: readStep, rowStates: readRows };
