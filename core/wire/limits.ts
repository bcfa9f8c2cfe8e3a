/**
 * What a message may contain at the most. A reader refuses more before it allocates; a writer of
 * our own stays below, because each source of these things is bounded by the same names.
 */

/** Small enough for one UDP payload over IPv6's minimum MTU of 1,280 bytes, with room for QUIC's own header. */
export const maxDatagramBytes = 1200;

/** A value of this length can always be replicated (SQLite's own bound is 1 GB; nothing here wants to buffer that). */
export const maxValueBytes = 64 * 1024 * 1024;

/** A frame on a stream: the longest value and what stands around it. */
export const maxFrameBytes = maxValueBytes + 64 * 1024;

/** As the address's own length limit in `core/base/ids.ts`. */
export const maxAddressBytes = 255;

/** Names of nodes and regions, for people. */
export const maxLabelBytes = 255;

/** Table and column names. SQLite has no bound of its own; a name of a thousand bytes is a mistake. */
export const maxNameBytes = 1000;

/** An author aims at this much payload in a chunk; a row that is longer alone makes a longer one. */
export const targetChunkBytes = 32 * 1024;

/**
 * A chunk's payload: one row with the longest value, or whatever fits; a store refuses to commit
 * more. A value is bounded by the payload that it stands in and by nothing else, so that no store
 * commits what another refuses to read. The rest of a frame is for what stands around it.
 */
export const maxPayloadBytes = maxValueBytes + 32 * 1024;

/** A chunk's seal: a name of the key, a link to the chunk before, a signature, and room for a longer one. */
export const maxSealBytes = 128;

/** Chunks of one version: at the target size 32 GiB, far past what one transaction should hold. */
export const maxChunksPerVersion = 1 << 20;

/**
 * Rows and values (keys and cells) of one payload. An object takes some fifty times the bytes of
 * the shortest value on the wire, so that bytes alone would not bound memory. The author cuts at
 * these too. SQLite allows at most 32,767 columns in a table, so one row always fits.
 */
export const maxRowsPerPayload = 16 * 1024;
export const maxValuesPerPayload = 64 * 1024;
export const maxColumns = 32_767;

/** Columns of a primary key. */
export const maxKeyColumns = 64;

/** Canonical key bytes: as long as the longest value, and its escapes. */
export const maxKeyBytes = maxPayloadBytes;

/** Actors that have added to one counter cell. */
export const maxCounterActors = 64 * 1024;
