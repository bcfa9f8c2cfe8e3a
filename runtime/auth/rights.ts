/** Whether a caller may run a statement: by what the statement really reads and writes. */
import { holds, type Principal } from "./authenticator.ts";
import type { Inspection } from "./sql-inspector.ts";

export interface Denial {
  readonly why: string;
  readonly hint: string;
}

/** Names that begin so are tables of the node's own. */
const ownPrefix = "patina_";

/** Null when the caller holds every right that the statement needs. */
export function whyDenied(principal: Principal, inspection: Inspection): Denial | null {
  if (principal.admin) return null;
  if (inspection.type === "opaque") return deniedOpaque(principal, inspection);
  if (inspection.type !== "statement") return null;
  for (const table of inspection.reads) {
    if (table.startsWith(ownPrefix) || !holds(principal.read, table)) {
      return denied(principal, "read", table);
    }
  }
  for (const table of inspection.writes) {
    if (table.startsWith(ownPrefix) || !holds(principal.write, table)) {
      return denied(principal, "write", table);
    }
  }
  return null;
}

/** What a statement touches is not known: only who may touch everything may run it. */
function deniedOpaque(
  principal: Principal,
  inspection: Extract<Inspection, { type: "opaque" }>,
): Denial | null {
  if (inspection.own) return denied(principal, "read", "the node's own tables", ownHint);
  const all = principal.read.has("*") && (inspection.readonly || principal.write.has("*"));
  if (all) return null;
  return {
    why: `which tables the statement touches cannot be told (${inspection.why}), and the token ${principal.name} holds rights for some only`,
    hint: "write the statement in another way, or use a token with rights for all tables",
  };
}

/** What SQLite itself knows of the schema and of the file. */
const ofSqlite = /^(?:sqlite_|pragma_|dbstat$)/;

const ownHint = "the node's own tables are for tokens with admin = true";

function hintFor(table: string, right: "read" | "write"): string {
  if (table.startsWith(ownPrefix)) return ownHint;
  if (ofSqlite.test(table)) return `what is known of the schema is for tokens with read = ["*"]`;
  return `the statement needs it, perhaps through a view or a trigger: add ${table} to the token's ${right} list`;
}

function denied(
  principal: Principal,
  right: "read" | "write",
  table: string,
  hint: string = hintFor(table, right),
): Denial {
  return { why: `the token ${principal.name} may not ${right} ${table}`, hint };
}
