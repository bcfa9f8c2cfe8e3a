/** The tokens of SQL (sqlite.org/lang_expr.html, tokenize.c) as far as CREATE TABLE needs them. */

export type Token =
  /** `name`: what it spells; `quote`: the character it was quoted in, "" for none. */
  | {
      readonly kind: "name";
      readonly name: string;
      readonly quote: "" | '"' | "`" | "[";
      readonly at: number;
      readonly end: number;
    }
  | { readonly kind: "string"; readonly name: string; readonly at: number; readonly end: number }
  | { readonly kind: "blob"; readonly bytes: Uint8Array; readonly at: number; readonly end: number }
  | { readonly kind: "number"; readonly text: string; readonly at: number; readonly end: number }
  | {
      readonly kind: "punctuation";
      readonly text: string;
      readonly at: number;
      readonly end: number;
    }
  /** A comment that speaks to us: `patina: counter` gives "counter". */
  | {
      readonly kind: "directive";
      readonly text: string;
      readonly at: number;
      readonly end: number;
    };

/** What is wrong with a schema, said in one line, and where in the statement. */
export class SchemaError extends Error {
  override name = "SchemaError";
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

const space = /[ \t\n\f\r]+/y;
const lineComment = /--([^\n]*)\n?/y;
// An unfinished block comment runs to the end, as in SQLite.
const blockComment = /\/\*([\s\S]*?)(?:\*\/|$)/y;
const bareName = /[A-Za-z_\u0080-\uffff][A-Za-z0-9_$\u0080-\uffff]*/y;
const number =
  /0[xX][0-9a-fA-F]+(?:_[0-9a-fA-F]+)*|(?:\d+(?:_\d+)*(?:\.(?:\d+(?:_\d+)*)?)?|\.\d+(?:_\d+)*)(?:[eE][+-]?\d+(?:_\d+)*)?/y;
const blob = /[xX]'([0-9a-fA-F]*)'/y;
const directive = /^\s*patina:\s*(.*?)\s*$/;

const closing = { '"': '"', "`": "`", "[": "]", "'": "'" } as const;

/** @throws SchemaError */
export function tokenize(sql: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < sql.length) {
    const skipped = match(space, sql, at);
    if (skipped !== null) {
      at += skipped[0].length;
      continue;
    }
    const comment = match(lineComment, sql, at) ?? match(blockComment, sql, at);
    if (comment !== null) {
      const said = directive.exec(comment[1] ?? "");
      const end = at + comment[0].length;
      if (said !== null) tokens.push({ kind: "directive", text: said[1] as string, at, end });
      at = end;
      continue;
    }
    const token = readToken(sql, at);
    tokens.push(token);
    at = token.end;
  }
  return tokens;
}

function readToken(sql: string, at: number): Token {
  const bytes = match(blob, sql, at);
  if (bytes !== null) return blobToken(bytes[1] as string, at, at + bytes[0].length);
  const first = sql.charAt(at);
  if (first === '"' || first === "`" || first === "[" || first === "'")
    return quoted(sql, at, first);
  const name = match(bareName, sql, at);
  if (name !== null) {
    return { kind: "name", name: name[0], quote: "", at, end: at + name[0].length };
  }
  const digits = match(number, sql, at);
  if (digits !== null) {
    return { kind: "number", text: digits[0].replaceAll("_", ""), at, end: at + digits[0].length };
  }
  return { kind: "punctuation", text: first, at, end: at + 1 };
}

function match(pattern: RegExp, sql: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(sql);
}

function quoted(sql: string, at: number, open: '"' | "`" | "[" | "'"): Token {
  const close = closing[open];
  let name = "";
  let from = at + 1;
  for (;;) {
    const to = sql.indexOf(close, from);
    if (to < 0) throw new SchemaError(`${open} is opened but never closed`, at);
    name += sql.slice(from, to);
    // A doubled quote stands for itself, but brackets know no escape.
    if (open === "[" || sql.charAt(to + 1) !== close) {
      const end = to + 1;
      return open === "'"
        ? { kind: "string", name, at, end }
        : { kind: "name", name, quote: open, at, end };
    }
    name += close;
    from = to + 2;
  }
}

function blobToken(hex: string, at: number, end: number): Token {
  if (hex.length % 2 === 1) throw new SchemaError("a blob literal has an odd number of digits", at);
  const bytes = new Uint8Array(hex.length / 2);
  for (let i = 0; i < bytes.length; i++)
    bytes[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  return { kind: "blob", bytes, at, end };
}
