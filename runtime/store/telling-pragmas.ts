/** Pragmas that only tell something (sqlite.org/pragma.html), and so may be asked of a reader. */

const telling = new Set([
  "application_id",
  "collation_list",
  "compile_options",
  "data_version",
  "database_list",
  "encoding",
  "foreign_key_check",
  "foreign_keys",
  "freelist_count",
  "function_list",
  "integrity_check",
  "journal_mode",
  "module_list",
  "page_count",
  "page_size",
  "pragma_list",
  "quick_check",
  "schema_version",
  "synchronous",
  "table_list",
  "user_version",
]);
/** With an argument: those about a table or an index. */
const tellingOf = new Set([
  "foreign_key_check",
  "foreign_key_list",
  "index_info",
  "index_list",
  "index_xinfo",
  "integrity_check",
  "quick_check",
  "table_info",
  "table_list",
  "table_xinfo",
]);

/** @param name in lower case; @param argument whether it has one. */
export function pragmaTells(name: string, argument: boolean): boolean {
  return (argument ? tellingOf : telling).has(name);
}
