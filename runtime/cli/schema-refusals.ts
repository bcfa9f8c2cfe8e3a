/**
 * Everything in schema files that is refused. The store tells the first refusal and stops; here what was
 * refused is taken out and the rest is tried, until nothing is.
 */
import { foldCase } from "../../core/crdt/parse-schema.ts";
import { SchemaRefusedError } from "../store/apply-schema.ts";
import {
  formatRefusal,
  type SchemaRefusal,
  type SchemaSource,
  splitSchema,
  statementAt,
} from "../store/schema-source.ts";

/** More would only repeat themselves. */
const mostTold = 50;

/**
 * @param stored the `CREATE` statements that a database has: where the change of one is refused, it
 * stays as it was for the others.
 * @param apply throws SchemaRefusedError for the first refusal
 * @returns a line each
 */
export function schemaRefusals(
  sources: readonly SchemaSource[],
  stored: readonly string[],
  apply: (sources: readonly SchemaSource[]) => void,
): string[] {
  const told: string[] = [];
  const without = new Without(sources, stored);
  for (let tries = 0; tries < mostTold; tries++) {
    try {
      apply(without.sources);
      break;
    } catch (error) {
      if (!(error instanceof SchemaRefusedError)) throw error;
      const { refusal } = error;
      if (!without.explains(refusal)) told.push(formatRefusal(refusal));
      if (!without.take(refusal)) break;
    }
  }
  return told;
}

/** Schema files, less what was refused. */
class Without {
  sources: readonly SchemaSource[];
  readonly #stored = new Map<string, string>();
  readonly #taken = new Set<string>();

  constructor(sources: readonly SchemaSource[], stored: readonly string[]) {
    this.sources = sources;
    const split = splitSchema(stored.map((text, i) => ({ name: `stored ${i}`, text })));
    if (!split.ok) return;
    for (const { name, sql } of split.objects) this.#stored.set(foldCase(name), sql);
  }

  /** Whether it is only that something is missing which was taken out. */
  explains({ why }: SchemaRefusal): boolean {
    const missing = /no such (?:table|column|view): (?:main\.)?(.+)$/.exec(why)?.[1];
    return missing !== undefined && this.#taken.has(foldCase(missing));
  }

  /** @returns false where the statement is not found. */
  take({ source: name, line, why }: SchemaRefusal): boolean {
    const gone = /^table (.+) is gone from the schema/.exec(why)?.[1];
    if (gone !== undefined) return this.#add(gone);
    const at = this.sources.findIndex((source) => source.name === name);
    const source = this.sources[at];
    if (source === undefined) return false;
    const found = statementAt(source.text, line);
    if (found === null) return false;
    const { from, to } = found;
    const object = found.name === null ? null : foldCase(found.name);
    const before = object === null ? undefined : this.#stored.get(object);
    const text = source.text.slice(from, to);
    if (before === text) return false;
    if (object !== null && before === undefined) this.#taken.add(object);
    // As many lines as before, so that the next refusal names the right one.
    const lines = "\n".repeat(text.split("\n").length - 1);
    const rest = source.text.slice(0, from) + lines + source.text.slice(to);
    this.sources = this.sources.with(at, { name, text: rest });
    if (before !== undefined && object !== null) this.#add(object);
    return true;
  }

  #add(name: string): boolean {
    const sql = this.#stored.get(foldCase(name));
    if (sql === undefined) return false;
    this.sources = [...this.sources, { name: "the database", text: sql }];
    return true;
  }
}
