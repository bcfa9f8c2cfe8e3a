/** Opens the store given and says what came of it. */
import { SqliteStore } from "../../runtime/store/sqlite-store.ts";
import { here, schema } from "./store-history.ts";

try {
  new SqliteStore({ path: process.argv[2] as string, actor: here, schema }).close();
  process.stdout.write("opened");
} catch (error) {
  process.stdout.write((error as Error).message);
}
