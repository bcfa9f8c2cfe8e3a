/** Credentials of authors, by the id of their key; what they say is the business of `runtime/security`. */
import type { Engine } from "./engine.ts";

export function loadCredentials(engine: Engine): Uint8Array[] {
  const rows = engine.statements.get("SELECT credential FROM patina_credential").pluck();
  return rows.all() as Uint8Array[];
}

/** Kept for as long as the database lives; another of the same key takes its place. */
export function saveCredential(engine: Engine, key: Uint8Array, credential: Uint8Array): void {
  const save = engine.statements.get("REPLACE INTO patina_credential VALUES (?, ?)");
  engine.inTransaction(() => save.run(key, credential));
}
