/** The rule book (`core/SPEC.md`) against the titles of the tests. */
import type { SourceFile } from "./source-tree.ts";
import type { Token } from "./tokens.ts";

/** Rooms of the core whose behaviour the rule book lays down. */
export const protocolRooms = ["clock", "crdt", "gossip", "node", "swim", "sync", "wire"];

const definition = /^- \*\*([A-Z]{2}\d{2,3})\*\* \S/;
const looksLikeRule = /^\s*[-*] \*\*/;

export interface RuleBook {
  /** In the order of the book. */
  readonly ids: readonly string[];
  readonly problems: readonly string[];
}

export function readRuleBook(text: string): RuleBook {
  const ids: string[] = [];
  const problems: string[] = [];
  text.split("\n").forEach((line, i) => {
    const where = `core/SPEC.md:${i + 1}`;
    const id = definition.exec(line)?.[1];
    if (id === undefined) {
      if (looksLikeRule.test(line)) problems.push(`${where} is not written "- **XY01** sentence"`);
    } else if (ids.includes(id)) {
      problems.push(`${where} defines ${id} again`);
    } else {
      ids.push(id);
    }
  });
  return { ids, problems };
}

export interface TitledTest {
  readonly path: string;
  readonly line: number;
  /** Null when the title is not written out at the test. */
  readonly title: string | null;
}

/** Modifiers that take arguments of their own before the title comes. */
const withArguments = new Set(["each", "for", "skipIf", "runIf", "extend"]);

export function testsIn(file: SourceFile): TitledTest[] {
  const { path, tokens } = file;
  const found: TitledTest[] = [];
  tokens.forEach((token, i) => {
    if (token.kind !== "word" || (token.text !== "test" && token.text !== "it")) return;
    if (tokens[i - 1]?.text === ".") return;
    let at = i + 1;
    while (tokens[at]?.text === "." && tokens[at + 1]?.kind === "word") {
      const modifier = (tokens[at + 1] as Token).text;
      at += 2;
      if (withArguments.has(modifier)) at = afterParentheses(tokens, at);
    }
    if (tokens[at]?.kind !== "mark" || tokens[at]?.text !== "(") return;
    const first = tokens[at + 1];
    const literal = first?.kind === "string" || first?.kind === "template";
    found.push({ path, line: token.line, title: literal ? first.text : null });
  });
  return found;
}

/** The place after the group that opens at `at`. */
function afterParentheses(tokens: readonly Token[], at: number): number {
  let depth = 0;
  for (let i = at; i < tokens.length; i++) {
    const { kind, text } = tokens[i] as Token;
    if (kind !== "mark") continue;
    if (text === "(") depth++;
    if (text === ")" && --depth === 0) return i + 1;
  }
  return tokens.length;
}

/** Rules that have numbered cases are checked case by case: `CR21 case 7: …`. */
const titleIds = /^([A-Z]{2}\d{2,3}(?:, [A-Z]{2}\d{2,3})*)(?: case \d+)?: \S/;

/** The rules that a title says it checks; none when it does not begin with any. */
export function idsOfTitle(title: string): string[] {
  return titleIds.exec(title)?.[1]?.split(", ") ?? [];
}

/** Tests whose titles must begin with a rule. A transport is no part of the protocol: it promises what its port says. */
export function mustNameRule(path: string): boolean {
  return (
    path.startsWith("test/property/") ||
    (path.startsWith("test/contract/") && !path.includes("transport")) ||
    protocolRooms.some((room) => path.startsWith(`test/unit/${room}/`))
  );
}

export function titleProblems(tests: readonly TitledTest[], ids: ReadonlySet<string>): string[] {
  const problems: string[] = [];
  for (const { path, line, title } of tests) {
    const where = `${path}:${line}`;
    if (title === null) {
      if (mustNameRule(path)) problems.push(`${where}: write the title out, from its rule's id on`);
      continue;
    }
    const named = idsOfTitle(title);
    if (named.length === 0 && mustNameRule(path)) {
      problems.push(`${where} "${title}" does not begin with the rule it checks, as in "WI05: …"`);
    }
    for (const id of named) {
      if (!ids.has(id)) problems.push(`${where} "${title}": core/SPEC.md has no rule ${id}`);
    }
  }
  return problems;
}

/** Rules that no title names. */
export function uncheckedRules(tests: readonly TitledTest[], ids: readonly string[]): string[] {
  const named = new Set(tests.flatMap(({ title }) => (title === null ? [] : idsOfTitle(title))));
  return ids.filter((id) => !named.has(id));
}
