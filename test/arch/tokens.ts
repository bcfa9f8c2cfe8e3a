/**
 * A scanner for TypeScript, as far as the architecture tests need it: it tells code from comments,
 * strings, templates and regular expressions, and each token's line.
 */
export interface Token {
  readonly kind: "word" | "number" | "string" | "template" | "regex" | "mark";
  /** As written; of strings and templates what stands between the quotes, escapes unresolved. */
  readonly text: string;
  readonly line: number;
}

const wordStart = /[\p{ID_Start}$_#]/u;
const wordPart = /[\p{ID_Continue}$]/u;

export function tokensOf(source: string): Token[] {
  const tokens: Token[] = [];
  let line = 1;
  let i = 0;
  /** Ends of `${`: at which depth of braces a template goes on. */
  const templates: number[] = [];
  let depth = 0;

  const push = (kind: Token["kind"], text: string) => tokens.push({ kind, text, line });

  /** From after a backquote or the `}` of a substitution to the next substitution or the end. */
  const template = (): void => {
    const start = i;
    while (i < source.length && source[i] !== "`") {
      if (source[i] === "\\") i++;
      else if (source.startsWith("${", i)) {
        push("template", source.slice(start, i));
        templates.push(depth);
        depth++;
        i += 2;
        return;
      }
      i++;
    }
    push("template", source.slice(start, i));
    i++;
  };

  while (i < source.length) {
    const c = source[i] as string;
    const before = i;
    if (/\s/.test(c)) {
      i++;
    } else if (source.startsWith("//", i) || (i === 0 && source.startsWith("#!"))) {
      while (i < source.length && source[i] !== "\n") i++;
    } else if (source.startsWith("/*", i)) {
      const end = source.indexOf("*/", i + 2);
      i = end < 0 ? source.length : end + 2;
    } else if (c === '"' || c === "'") {
      i++;
      while (i < source.length && source[i] !== c) i += source[i] === "\\" ? 2 : 1;
      push("string", source.slice(before + 1, i));
      i++;
    } else if (c === "`") {
      i++;
      template();
    } else if (c === "/" && regexMayBegin(tokens.at(-1))) {
      i = endOfRegex(source, i);
      push("regex", source.slice(before, i));
    } else if (/[0-9]/.test(c)) {
      while (i < source.length && /[0-9a-zA-Z_.]/.test(source[i] as string)) i++;
      push("number", source.slice(before, i));
    } else if (wordStart.test(c)) {
      i++;
      while (i < source.length && wordPart.test(source[i] as string)) i++;
      push("word", source.slice(before, i));
    } else {
      if (c === "{") depth++;
      if (c === "}") depth--;
      i++;
      if (c === "}" && templates.at(-1) === depth) {
        templates.pop();
        template();
      } else if (c === "*" && source[i] === "*") {
        i++;
        push("mark", "**");
      } else {
        push("mark", c);
      }
    }
    for (let k = before; k < i; k++) if (source[k] === "\n") line++;
  }
  return tokens;
}

/** A slash divides after a value, and begins a regular expression elsewhere. */
function regexMayBegin(last: Token | undefined): boolean {
  if (last === undefined) return true;
  if (last.kind === "word")
    return /^(return|typeof|case|in|of|delete|void|throw|new)$/.test(last.text);
  return last.kind === "mark" && !/^[)\]}]$/.test(last.text);
}

function endOfRegex(source: string, start: number): number {
  let i = start + 1;
  let inClass = false;
  while (i < source.length && (inClass || source[i] !== "/") && source[i] !== "\n") {
    if (source[i] === "\\") i++;
    else if (source[i] === "[") inClass = true;
    else if (source[i] === "]") inClass = false;
    i++;
  }
  i++;
  while (i < source.length && /[a-z]/.test(source[i] as string)) i++;
  return i;
}
