/** Whether a file can be replayed at all: it is there, and begins like a trace. */
import { closeSync, openSync, readSync } from "node:fs";
import { constants, gunzipSync } from "node:zlib";

/** A header names its nodes; with thousands of them it is long, but it begins at once. */
const headBytes = 65_536;

/**
 * Null for a file that begins with a trace's header, plain or gzipped; else what it is instead.
 * What comes after may be damaged: the page shows a trace up to where it is whole.
 * @throws NodeJS.ErrnoException for a file that cannot be read.
 */
export function whyNoTrace(path: string): string | null {
  const head = readHead(path);
  if (head.length === 0) return "it is empty";
  const gzipped = head[0] === 0x1f && head[1] === 0x8b;
  let text: string;
  try {
    text = (gzipped ? unzipHead(head) : head).toString("utf8");
  } catch {
    return "it is gzipped and damaged from the beginning";
  }
  if (/^\{\s*"trace"\s*:\s*1\s*[,}]/.test(text)) return null;
  return "its first line is not the header of a trace (patina sim --trace FILE writes one)";
}

function readHead(path: string): Buffer {
  const descriptor = openSync(path, "r");
  try {
    const buffer = Buffer.alloc(headBytes);
    return buffer.subarray(0, readSync(descriptor, buffer, 0, headBytes, 0));
  } finally {
    closeSync(descriptor);
  }
}

/** What the beginning of a gzip file unpacks to, its end being cut off. */
function unzipHead(head: Buffer): Buffer {
  return gunzipSync(head, { finishFlush: constants.Z_SYNC_FLUSH });
}
