/**
 * Parameters as SQLite itself matches them with a statement's variables (sqlite.org/lang_expr.html,
 * section 3): a list fills them by number, whether they are written `?`, `?3` or `:name`; an object
 * fills them by name, and those that it does not name are NULL. What a node's connections bind is
 * either a list for plain question marks or every variable by its name, so that is what comes out.
 */
import type { Value } from "../../core/crdt/value.ts";
import { SchemaError, tokenize } from "../../core/crdt/sql-tokens.ts";
import type { Statement } from "../agent/node-service.ts";
import { ApiError } from "./api-error.ts";

/** Anything but a plain question mark; matches inside of literals too, which costs time alone. */
const mayHaveNames = /\?\d|[:@$][A-Za-z0-9_\u0080-\uffff]/;
const variable = /\?(\d*)|[:@$][A-Za-z0-9_$\u0080-\uffff]+/y;
const maxVariables = 32_766;
const maxCached = 1_024;
const maxCachedLength = 16_384;

interface Variables {
  /** The statement, with names of ours where better-sqlite3 could not tell its variables apart. */
  readonly sql: string;
  /** By number, from 1 on: what is bound, and what it is called in the statement as it came. */
  readonly slots: readonly Slot[];
  /** Plain question marks alone, or nothing to bind. */
  readonly plain: boolean;
  readonly renamed: boolean;
}

/** Null: no variable has that number, and what is given for it goes nowhere. */
type Slot = { readonly bind: string; readonly name: string } | null;

export class ParameterBinder {
  readonly #cache = new Map<string, Variables>();

  /** @throws ApiError when parameters and variables do not match. */
  bind(statement: Statement): Statement {
    const { sql, parameters } = statement;
    if (Array.isArray(parameters)) {
      return mayHaveNames.test(sql)
        ? this.#bindList(statement, parameters as readonly Value[])
        : statement;
    }
    return this.#bindNames(statement, parameters as Readonly<Record<string, Value>>);
  }

  #bindList(statement: Statement, list: readonly Value[]): Statement {
    const variables = this.#variablesOf(statement.sql);
    const { slots, plain } = variables;
    if (plain) return statement;
    const wanted = slots.length - 1;
    if (list.length !== wanted) {
      throw rangeError(`the statement has ${wanted} parameters, ${list.length} were given`);
    }
    const parameters: Record<string, Value> = {};
    slots.forEach((slot, n) => {
      if (slot !== null) parameters[slot.bind] = list[n - 1] as Value;
    });
    return { ...textOf(variables, statement), parameters };
  }

  #bindNames(statement: Statement, given: Readonly<Record<string, Value>>): Statement {
    const names = Object.keys(given);
    for (const name of names) if (!/^[:@$?]./.test(name)) throw signless(name);
    const variables = this.#variablesOf(statement.sql);
    const { sql, slots, plain } = variables;
    const unknown = names.find((name) => !slots.some((slot) => slot?.name === name));
    if (unknown !== undefined) {
      throw rangeError(`the statement has no parameter ${JSON.stringify(unknown)}`);
    }
    if (plain) return { sql, parameters: slots.slice(1).map(() => null) };
    const parameters: Record<string, Value> = {};
    for (const slot of slots) if (slot !== null) parameters[slot.bind] = given[slot.name] ?? null;
    return { ...textOf(variables, statement), parameters };
  }

  #variablesOf(sql: string): Variables {
    const known = this.#cache.get(sql);
    if (known !== undefined) return known;
    const found = findVariables(sql);
    if (sql.length <= maxCachedLength) {
      if (this.#cache.size >= maxCached) this.#cache.clear();
      this.#cache.set(sql, found);
    }
    return found;
  }
}

interface Place {
  readonly at: number;
  readonly text: string;
  readonly n: number;
}

/** @throws ApiError when it cannot be told where a literal ends. */
function findVariables(sql: string): Variables {
  const names: (string | null)[] = [null];
  const places: Place[] = [];
  for (const { text, at } of variablesIn(sql)) {
    const n = text === "?" ? names.length : numberOf(text, names);
    if (n > maxVariables) throw rangeError(`a parameter's number is at most ${maxVariables}`);
    while (names.length <= n) names.push(null);
    names[n] ??= text;
    places.push({ at, text, n });
  }
  if (places.every(({ text }) => text === "?")) {
    return { sql, slots: names.map(itsName), plain: true, renamed: false };
  }
  return isTellable(names)
    ? { sql, slots: names.map(itsName), plain: false, renamed: false }
    : { sql: renamed(sql, places), slots: names.map(ourName), plain: false, renamed: true };
}

function textOf(
  { sql, renamed }: Variables,
  statement: Statement,
): Pick<Statement, "sql" | "original"> {
  return renamed ? { sql, original: statement.sql } : { sql };
}

/** Every number has a name, and no two differ by their sign alone: then each can be bound by its name. */
function isTellable(names: readonly (string | null)[]): boolean {
  const seen = new Set<string>();
  for (const name of names.slice(1)) {
    if (name === null || name === "?" || seen.has(name.slice(1))) return false;
    seen.add(name.slice(1));
  }
  return true;
}

function itsName(name: string | null): Slot {
  return name === null ? null : { bind: name, name };
}

function ourName(name: string | null, n: number): Slot {
  return name === null ? null : { bind: `:p${n}`, name };
}

function renamed(sql: string, places: readonly Place[]): string {
  let text = "";
  let from = 0;
  for (const place of places) {
    text += `${sql.slice(from, place.at)}:p${place.n}`;
    from = place.at + place.text.length;
  }
  return text + sql.slice(from);
}

function numberOf(text: string, names: readonly (string | null)[]): number {
  if (text.startsWith("?")) return Number(text.slice(1));
  const known = names.indexOf(text);
  return known > 0 ? known : names.length;
}

function* variablesIn(sql: string): Generator<{ readonly text: string; readonly at: number }> {
  let end = 0;
  for (const token of tokensOf(sql)) {
    if (token.kind !== "punctuation" || token.at < end) continue;
    variable.lastIndex = token.at;
    const match = variable.exec(sql);
    if (match === null) continue;
    end = token.at + match[0].length;
    yield { text: match[0], at: token.at };
  }
}

function tokensOf(sql: string): ReturnType<typeof tokenize> {
  try {
    return tokenize(sql);
  } catch (error) {
    if (error instanceof SchemaError) throw new ApiError("sql", error.message);
    throw error;
  }
}

function rangeError(message: string): ApiError {
  return new ApiError("sql", message, { sqlite: "SQLITE_RANGE" });
}

function signless(name: string): ApiError {
  return new ApiError("sql", `${JSON.stringify(name)} is no name of a parameter`, {
    sqlite: "SQLITE_RANGE",
    hint: `write the sign that it has in the statement, such as ":${name}"`,
  });
}
