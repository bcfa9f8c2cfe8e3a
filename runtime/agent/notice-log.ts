/** What notices of the protocol say in the log. */
import type { Notice } from "../../core/node/event.ts";
import type { Reports } from "./reports.ts";

export function logNotice(notice: Notice, reports: Reports): void {
  switch (notice.type) {
    case "renewed":
      reports.log("info", "the node renewed its identity", { why: notice.why });
      break;
    case "identityConflict": {
      const { address, other } = notice;
      reports.rareLog("error", "another node claims this node's address", { address, other });
      break;
    }
    case "divergence": {
      const { peer, table } = notice;
      const what = "rows differ from a peer's though both hold the same versions";
      reports.log("error", what, { peer, table });
      break;
    }
    case "repaired": {
      const { peer, table, rows } = notice;
      reports.log("warn", "rows were repaired", { peer, table, rows });
      break;
    }
    case "rejected": {
      const { from, plane, why } = notice;
      reports.rareLog("warn", "a message was rejected", { from, plane, why });
      break;
    }
    case "overflow": {
      const { queue, count } = notice;
      reports.rareLog("warn", "a queue was full", { queue, count });
      break;
    }
    case "synced":
      reports.log("debug", "caught up", { peer: notice.peer, versions: notice.versions });
      break;
    case "member": {
      const { about, state, incarnation } = notice;
      const level = state === "down" ? "warn" : state === "suspect" ? "debug" : "info";
      reports.log(level, `a member is ${state}`, { addr: about, incarnation });
      break;
    }
    case "forgotten":
    case "need":
    case "left":
    case "unknown":
      break;
  }
}
