/** The schema files of a configuration. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import type { SchemaSource } from "../store/schema-source.ts";
import { ConfigError } from "./config-error.ts";

/** Files as they are named, folders in the order of their files' names. @throws ConfigError */
export function readSchemaFiles(paths: readonly string[]): SchemaSource[] {
  return paths.flatMap((path) => {
    try {
      if (!statSync(path).isDirectory()) return [source(path)];
      return readdirSync(path)
        .filter((name) => name.endsWith(".sql"))
        .sort()
        .map((name) => source(join(path, name)));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const why = code === "ENOENT" ? "there is no such file or folder" : `cannot be read: ${code}`;
      throw new ConfigError(`db.schema_paths: ${path}: ${why}`);
    }
  });
}

function source(path: string): SchemaSource {
  return { name: basename(path), text: readFileSync(path, "utf8") };
}
