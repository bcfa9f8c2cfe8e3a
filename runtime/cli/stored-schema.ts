/** The schema that a node's database has, as its `CREATE` statements in the order in which they were made. */
import { openReader } from "../store/reader.ts";

/** Reads only. @throws StoreOpenError */
export function storedSchema(path: string): string[] {
  const db = openReader(path);
  try {
    return db.prepare("SELECT sql FROM patina_object ORDER BY n").pluck().all() as string[];
  } finally {
    db.close();
  }
}
