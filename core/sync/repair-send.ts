/** How the messages of a repair leave, on both sides. */
import type { Address } from "../base/ids.ts";
import type { Effect } from "../node/event.ts";
import { encodeRepair, type RepairMessage } from "../wire/repair-messages.ts";

/** Row bytes in one message. */
export const maxRowBytes = 256 * 1024;

export function sendRepair(to: Address, message: RepairMessage, out: Effect[]): void {
  const kind = message.type === "rows" ? "rowStates" : "rangeDigest";
  out.push({ type: "send", to, plane: "sync", reliable: true, kind, bytes: encodeRepair(message) });
}
