/**
 * The grammar of CREATE TABLE (sqlite.org/lang_createtable.html), read into what it says, with no
 * judgement of whether that can be replicated; `parse-schema.ts` judges.
 */
import { SchemaError, type Token } from "./sql-tokens.ts";
import { textToNumber } from "./sqlite-number.ts";
import { integerValue, realValue, type Value } from "./value.ts";

export interface ColumnSyntax {
  readonly name: string;
  readonly at: number;
  type: string;
  /** What a `patina:` comment says. */
  directive: string | null;
  primaryKey: "ascending" | "descending" | null;
  autoincrement: boolean;
  notNull: boolean;
  collation: string | null;
  generated: string | null;
  /** Undefined: none. An error: there is one, but not a literal. */
  defaultValue: Value | undefined | SchemaError;
  readonly constraints: ConstraintSyntax[];
}

export interface ConstraintSyntax {
  readonly kind: "unique" | "check" | "foreignKey";
  readonly text: string;
}

export interface KeyPart {
  readonly name: string;
  readonly collation: string | null;
  readonly at: number;
}

export interface TableSyntax {
  readonly name: string;
  readonly at: number;
  readonly columns: ColumnSyntax[];
  /** PRIMARY KEY (…) after the columns. */
  key: KeyPart[] | null;
  readonly constraints: ConstraintSyntax[];
  strict: boolean;
  withoutRowid: boolean;
}

/** Words that end a column's type. */
const afterType = new Set(
  "CONSTRAINT PRIMARY NOT NULL UNIQUE CHECK DEFAULT COLLATE REFERENCES GENERATED AS DEFERRABLE".split(
    " ",
  ),
);

export class TableParser {
  readonly #sql: string;
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(sql: string, tokens: readonly Token[]) {
    this.#sql = sql;
    this.#tokens = tokens;
  }

  /** Past the semicolons between statements; true when nothing follows. */
  atEnd(): boolean {
    while (this.#takePunctuation(";"));
    return this.#next >= this.#tokens.length;
  }

  /** One CREATE TABLE. @throws SchemaError */
  table(): TableSyntax {
    const at = this.#at();
    if (!this.#takeWord("CREATE")) throw this.#unexpected("CREATE TABLE");
    if (this.#isWord("TEMP") || this.#isWord("TEMPORARY")) {
      throw new SchemaError("a temporary table cannot be replicated: leave out TEMP", at);
    }
    if (this.#isWord("VIRTUAL")) throw new SchemaError("a virtual table cannot be replicated", at);
    if (!this.#takeWord("TABLE")) throw this.#unexpected("CREATE TABLE");
    if (this.#takeWord("IF")) {
      this.#word("NOT");
      this.#word("EXISTS");
    }
    const name = this.#name("a table name");
    if (this.#takePunctuation(".")) {
      throw new SchemaError(`table ${name}: leave out the schema name before the dot`, at);
    }
    if (this.#isWord("AS")) {
      throw new SchemaError(`table ${name}: list the columns instead of AS SELECT`, at);
    }
    const table: TableSyntax = {
      name,
      at,
      columns: [],
      key: null,
      constraints: [],
      strict: false,
      withoutRowid: false,
    };
    this.#punctuation("(");
    this.#definitions(table);
    this.#options(table);
    if (this.#next < this.#tokens.length && !this.#isPunctuation(";")) {
      throw this.#unexpected(`the end of table ${name}`);
    }
    return table;
  }

  #definitions(table: TableSyntax): void {
    do {
      if (this.#isTableConstraint()) break;
      table.columns.push(this.#column());
    } while (this.#takePunctuation(","));
    // Between table constraints SQLite lets the comma be left out.
    while (!this.#takePunctuation(")")) {
      this.#tableConstraint(table);
      this.#takePunctuation(",");
    }
  }

  #options(table: TableSyntax): void {
    for (;;) {
      if (this.#takeWord("STRICT")) table.strict = true;
      else if (this.#takeWord("WITHOUT")) {
        this.#word("ROWID");
        table.withoutRowid = true;
      } else return;
      this.#takePunctuation(",");
    }
  }

  #column(): ColumnSyntax {
    const at = this.#at();
    const column: ColumnSyntax = {
      name: this.#name("a column name"),
      at,
      type: "",
      directive: null,
      primaryKey: null,
      autoincrement: false,
      notNull: false,
      collation: null,
      generated: null,
      defaultValue: undefined,
      constraints: [],
    };
    this.#type(column);
    for (;;) {
      const token = this.#peek();
      if (token?.kind === "directive") {
        column.directive = token.text;
        this.#next++;
      } else if (!this.#columnConstraint(column)) return column;
    }
  }

  #type(column: ColumnSyntax): void {
    const from = this.#at();
    const first = this.#peek();
    let to = from;
    for (;;) {
      const token = this.#peek();
      if (token === undefined) break;
      const isWord = token.kind === "name" || token.kind === "string";
      const plain = token.kind === "name" && token.quote === "" ? token.name.toUpperCase() : "";
      if (!isWord || afterType.has(plain)) break;
      to = token.end;
      this.#next++;
    }
    if (to > from && this.#isPunctuation("(")) to = this.#skipParentheses();
    // Of a type that begins with a quote SQLite takes what is in the quotes and no more.
    const quoted = first?.kind === "string" || (first?.kind === "name" && first.quote !== "");
    column.type = to > from && quoted ? first.name : this.#sql.slice(from, to);
  }

  /** False when no constraint follows. */
  #columnConstraint(column: ColumnSyntax): boolean {
    const from = this.#at();
    if (this.#takeWord("CONSTRAINT")) {
      this.#name("a constraint name");
      return true;
    }
    if (this.#takeWord("PRIMARY")) {
      this.#word("KEY");
      column.primaryKey = this.#takeWord("DESC") ? "descending" : "ascending";
      this.#takeWord("ASC");
      this.#conflictClause(column.name);
      column.autoincrement = this.#takeWord("AUTOINCREMENT");
    } else if (this.#takeWord("NOT")) {
      if (this.#takeWord("DEFERRABLE")) this.#deferrable();
      else {
        this.#word("NULL");
        column.notNull = true;
        this.#conflictClause(column.name);
      }
    } else if (this.#takeWord("NULL")) {
      this.#conflictClause(column.name);
    } else if (this.#takeWord("UNIQUE")) {
      this.#conflictClause(column.name);
      column.constraints.push({ kind: "unique", text: this.#textFrom(from) });
    } else if (this.#takeWord("CHECK")) {
      this.#skipParentheses();
      column.constraints.push({ kind: "check", text: this.#textFrom(from) });
    } else if (this.#takeWord("DEFAULT")) {
      column.defaultValue = this.#defaultValue(from);
    } else if (this.#takeWord("COLLATE")) {
      column.collation = this.#name("a collation");
    } else if (this.#takeWord("REFERENCES")) {
      this.#references();
      column.constraints.push({ kind: "foreignKey", text: this.#textFrom(from) });
    } else if (this.#takeWord("DEFERRABLE")) {
      this.#deferrable();
    } else if (this.#isWord("GENERATED") || this.#isWord("AS")) {
      if (this.#takeWord("GENERATED")) this.#word("ALWAYS");
      this.#word("AS");
      this.#skipParentheses();
      if (!this.#takeWord("STORED")) this.#takeWord("VIRTUAL");
      column.generated = this.#textFrom(from);
    } else return false;
    return true;
  }

  #isTableConstraint(): boolean {
    return ["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"].some((word) =>
      this.#isWord(word),
    );
  }

  #tableConstraint(table: TableSyntax): void {
    const from = this.#at();
    if (this.#takeWord("CONSTRAINT")) {
      this.#name("a constraint name");
    } else if (this.#takeWord("PRIMARY")) {
      this.#word("KEY");
      if (table.key !== null)
        throw new SchemaError(`table ${table.name} has two primary keys`, from);
      table.key = this.#keyParts();
      this.#conflictClause(table.name);
    } else if (this.#takeWord("UNIQUE")) {
      this.#skipParentheses();
      this.#conflictClause(table.name);
      table.constraints.push({ kind: "unique", text: this.#textFrom(from) });
    } else if (this.#takeWord("CHECK")) {
      this.#skipParentheses();
      table.constraints.push({ kind: "check", text: this.#textFrom(from) });
    } else if (this.#takeWord("FOREIGN")) {
      this.#word("KEY");
      this.#skipParentheses();
      this.#word("REFERENCES");
      this.#references();
      table.constraints.push({ kind: "foreignKey", text: this.#textFrom(from) });
    } else throw this.#unexpected(`a column, a constraint or ")" in table ${table.name}`);
  }

  #keyParts(): KeyPart[] {
    const parts: KeyPart[] = [];
    this.#punctuation("(");
    do {
      const at = this.#at();
      const name = this.#name("a column of the primary key");
      const collation = this.#takeWord("COLLATE") ? this.#name("a collation") : null;
      if (!this.#takeWord("DESC")) this.#takeWord("ASC");
      parts.push({ name, collation, at });
    } while (this.#takePunctuation(","));
    this.#punctuation(")");
    return parts;
  }

  #conflictClause(where: string): void {
    const at = this.#at();
    if (!this.#takeWord("ON")) return;
    this.#word("CONFLICT");
    const action = this.#name("what to do on conflict");
    if (/^abort$/i.test(action)) return;
    throw new SchemaError(
      `${where}: leave out ON CONFLICT ${action}; say OR ${action} where you write`,
      at,
    );
  }

  #references(): void {
    this.#name("a table name");
    if (this.#isPunctuation("(")) this.#skipParentheses();
    for (;;) {
      if (this.#takeWord("ON")) {
        this.#next++;
        if (this.#takeWord("SET")) this.#next++;
        else if (this.#takeWord("NO")) this.#word("ACTION");
        else this.#next++;
      } else if (this.#takeWord("MATCH")) this.#name("a match");
      else if (this.#isWord("NOT") && this.#wordAfter("DEFERRABLE")) {
        this.#next += 2;
        this.#deferrable();
      } else if (this.#takeWord("DEFERRABLE")) this.#deferrable();
      else return;
    }
  }

  #deferrable(): void {
    if (!this.#takeWord("INITIALLY")) return;
    if (!this.#takeWord("DEFERRED")) this.#word("IMMEDIATE");
  }

  #defaultValue(from: number): Value | SchemaError {
    const parenthesised = this.#isPunctuation("(");
    const start = this.#next;
    let depth = 0;
    while (this.#takePunctuation("(")) depth++;
    const value = this.#literal();
    while (depth > 0 && this.#takePunctuation(")")) depth--;
    if (value !== undefined && depth === 0) return value;
    this.#next = start;
    if (parenthesised) this.#skipParentheses();
    else this.#next++;
    return new SchemaError(`${this.#textFrom(from)} is not a literal`, from);
  }

  /** Undefined when what follows is not a literal. */
  #literal(): Value | undefined {
    let sign = "";
    while (this.#isPunctuation("-") || this.#isPunctuation("+")) {
      if (this.#isPunctuation("-")) sign = sign === "" ? "-" : "";
      this.#next++;
    }
    const signed = this.#tokens[this.#next - 1]?.kind === "punctuation" && sign !== "";
    const token = this.#peek();
    if (token === undefined) return undefined;
    if (token.kind === "number") {
      this.#next++;
      return numberLiteral(sign, token.text);
    }
    if (signed) return undefined;
    if (token.kind === "string" || token.kind === "blob") {
      this.#next++;
      return token.kind === "string" ? token.name.toWellFormed() : token.bytes;
    }
    if (token.kind !== "name") return undefined;
    // SQLite takes a double-quoted word that names no column for a string.
    const word = token.quote === "" ? token.name.toUpperCase() : null;
    if (word === null) {
      this.#next++;
      return token.name.toWellFormed();
    }
    const value = word === "NULL" ? null : word === "TRUE" ? 1 : word === "FALSE" ? 0 : undefined;
    if (value !== undefined) this.#next++;
    return value;
  }

  #skipParentheses(): number {
    const open = this.#at();
    this.#punctuation("(");
    let depth = 1;
    while (depth > 0) {
      const token = this.#peek();
      if (token === undefined) throw new SchemaError('"(" is never closed', open);
      if (token.kind === "punctuation" && token.text === "(") depth++;
      if (token.kind === "punctuation" && token.text === ")") depth--;
      this.#next++;
    }
    return (this.#tokens[this.#next - 1] as Token).end;
  }

  #peek(): Token | undefined {
    return this.#tokens[this.#next];
  }

  #at(): number {
    return this.#peek()?.at ?? this.#sql.length;
  }

  #textFrom(from: number): string {
    const last = this.#tokens[this.#next - 1];
    return this.#sql.slice(from, last?.end ?? from).replace(/\s+/g, " ");
  }

  #isWord(word: string, ahead = 0): boolean {
    const token = this.#tokens[this.#next + ahead];
    return token?.kind === "name" && token.quote === "" && token.name.toUpperCase() === word;
  }

  #wordAfter(word: string): boolean {
    return this.#isWord(word, 1);
  }

  #takeWord(word: string): boolean {
    if (!this.#isWord(word)) return false;
    this.#next++;
    return true;
  }

  #word(word: string): void {
    if (!this.#takeWord(word)) throw this.#unexpected(word);
  }

  #isPunctuation(text: string): boolean {
    const token = this.#peek();
    return token?.kind === "punctuation" && token.text === text;
  }

  #takePunctuation(text: string): boolean {
    if (!this.#isPunctuation(text)) return false;
    this.#next++;
    return true;
  }

  #punctuation(text: string): void {
    if (!this.#takePunctuation(text)) throw this.#unexpected(`"${text}"`);
  }

  #name(what: string): string {
    const token = this.#peek();
    if (token?.kind !== "name" && token?.kind !== "string") throw this.#unexpected(what);
    this.#next++;
    return token.name;
  }

  #unexpected(expected: string): SchemaError {
    const token = this.#peek();
    const found = token === undefined ? "the end" : this.#sql.slice(token.at, token.end);
    return new SchemaError(`expected ${expected}, found ${found.replace(/\s+/g, " ")}`, this.#at());
  }
}

function numberLiteral(sign: string, text: string): Value {
  if (/^0x/i.test(text)) {
    const size = BigInt.asIntN(64, BigInt(text));
    return integerValue(sign === "-" ? -size : size);
  }
  const number = textToNumber(sign + text);
  return typeof number === "bigint" ? integerValue(number) : realValue(number ?? 0);
}
