/**
 * Statements as clients write them: `"sql"`, `["sql", [params]]`, `["sql", {":name": value}]`,
 * `{"query": "sql", "params": […]}` or `{"query": "sql", "named_params": {…}}`.
 */
import type { Value } from "../../core/crdt/value.ts";
import type { Parameters, Statement } from "../agent/node-service.ts";
import { JsonShapeError, JsonText } from "./json-text.ts";

const noParameters: readonly Value[] = [];
const forms =
  'a statement is "sql", ["sql", [params]], ["sql", {":name": value}], {"query": "sql", "params": […]} or {"query": "sql", "named_params": {…}}';

/** @throws JsonSyntaxError, JsonShapeError */
export function parseStatement(text: string): Statement {
  return parse(text, statement);
}

/** @throws JsonSyntaxError, JsonShapeError */
export function parseStatements(text: string): Statement[] {
  return parse(text, (json) => {
    if (json.peek() !== "[") throw new JsonShapeError("the body is a list of statements");
    json.expect("[");
    const statements: Statement[] = [];
    if (json.takes("]")) return statements;
    do statements.push(statement(json));
    while (json.more("]"));
    return statements;
  });
}

function parse<T>(text: string, read: (json: JsonText) => T): T {
  const json = new JsonText(text);
  try {
    const result = read(json);
    json.end();
    return result;
  } catch (error) {
    // Of a text that is no JSON at all that is what is said, however far the shape was right.
    if (error instanceof JsonShapeError) checkSyntax(text);
    throw error;
  }
}

function checkSyntax(text: string): void {
  const json = new JsonText(text);
  json.skip();
  json.end();
}

function statement(json: JsonText): Statement {
  switch (json.peek()) {
    case '"':
      return { sql: json.string(), parameters: noParameters };
    case "[":
      return pair(json);
    case "{":
      return verbose(json);
    default:
      json.skip();
      throw new JsonShapeError(forms);
  }
}

function pair(json: JsonText): Statement {
  json.expect("[");
  if (json.peek() !== '"') throw new JsonShapeError(forms);
  const sql = json.string();
  if (!json.more("]")) throw new JsonShapeError(forms);
  const parameters = json.peek() === "{" ? named(json) : list(json);
  if (json.more("]")) throw new JsonShapeError(forms);
  return { sql, parameters };
}

function verbose(json: JsonText): Statement {
  let sql: string | null = null;
  let positional: Parameters | null = null;
  let byName: Parameters | null = null;
  json.expect("{");
  if (json.takes("}")) throw new JsonShapeError(forms);
  do {
    const key = json.string();
    json.expect(":");
    if (key === "query") {
      if (json.peek() !== '"') throw new JsonShapeError('"query" is a string');
      sql = json.string();
    } else if (key === "params") positional = json.takesWord("null") ? null : list(json);
    else if (key === "named_params") byName = json.takesWord("null") ? null : named(json);
    else json.skip();
  } while (json.more("}"));
  if (sql === null) throw new JsonShapeError(forms);
  return { sql, parameters: positional ?? byName ?? noParameters };
}

function list(json: JsonText): Value[] {
  if (json.peek() !== "[") throw new JsonShapeError("parameters are a list or an object");
  json.expect("[");
  const values: Value[] = [];
  if (json.takes("]")) return values;
  do values.push(parameter(json));
  while (json.more("]"));
  return values;
}

function named(json: JsonText): Record<string, Value> {
  if (json.peek() !== "{") throw new JsonShapeError("named parameters are an object");
  json.expect("{");
  const entries: [string, Value][] = [];
  if (!json.takes("}")) {
    do {
      const name = json.string();
      json.expect(":");
      entries.push([name, parameter(json)]);
    } while (json.more("}"));
  }
  return Object.fromEntries(entries);
}

/** The same JSON without white space and needless escapes: what clients wrote differently is equal. Numbers keep their digits. */
function compact(json: string): string {
  return json.replace(/"(?:[^"\\]|\\.)*"|\s+/g, (part) => {
    if (!part.startsWith('"')) return "";
    return part.includes("\\") ? JSON.stringify(JSON.parse(part)) : part;
  });
}

/** Booleans are 0 and 1, a list of bytes is a BLOB, any other list or object its own JSON as TEXT. */
function parameter(json: JsonText): Value {
  switch (json.peek()) {
    case '"':
      return json.string();
    case "[":
      return json.bytes() ?? compact(json.skip());
    case "{":
      return compact(json.skip());
    case "n":
      if (json.takesWord("null")) return null;
      break;
    case "t":
      if (json.takesWord("true")) return 1;
      break;
    case "f":
      if (json.takesWord("false")) return 0;
  }
  return json.number();
}
