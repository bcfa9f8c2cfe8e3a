/**
 * The values of SQLite, exactly. The storage class is told by the JavaScript type:
 * - INTEGER: a `number` that is a safe integer, or a `bigint` outside ±(2^53−1) and inside 64 bits;
 * - REAL: a `number` with a fraction, or `{ real }` for one without a fraction or infinite
 *   (so that 1 and 1.0 stay apart); NaN does not exist in SQLite (it is NULL), −0.0 is stored as 0.0;
 * - TEXT: a `string` without lone surrogates; BLOB: a `Uint8Array`; NULL: `null`.
 */
export type Value = null | number | bigint | string | Real | Uint8Array;

/** A REAL whose value is integral or infinite. Never NaN, never −0. */
export interface Real {
  readonly real: number;
}

export type StorageClass = "null" | "integer" | "real" | "text" | "blob";
