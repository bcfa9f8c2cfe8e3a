/** The lines of one `[[api.tokens]]` in a configuration that people wrote and commented. */
import { parse } from "smol-toml";

interface Tokens {
  readonly api?: { readonly tokens?: readonly { readonly name?: unknown }[] };
}

/**
 * `text` without the block of this token; null when that cannot be done by whole lines (tokens
 * written as one inline list, say). Comments right above the block are taken for its own.
 */
export function withoutToken(text: string, name: string): string | null {
  const lines = text.split("\n");
  const starts = lines.flatMap((line, i) =>
    /^\s*\[\[\s*api\s*\.\s*tokens\s*\]\]/.test(line) ? [i] : [],
  );
  for (const start of starts) {
    const next = lines.findIndex((line, i) => i > start && /^\s*\[/.test(line));
    const end = next < 0 ? lines.length : commentsAbove(lines, next);
    const block = lines.slice(start, end).join("\n");
    if (nameIn(block) !== name) continue;
    const from = commentsAbove(lines, start);
    const rest = `${[...lines.slice(0, from), ...lines.slice(end)].join("\n").trimEnd()}\n`;
    return differsByOne(text, rest, name) ? rest : null;
  }
  return null;
}

/** The first of the comment lines that stand right above line `at`. */
function commentsAbove(lines: readonly string[], at: number): number {
  let first = at;
  while (first > 0 && /^\s*#/.test(lines[first - 1] as string)) first--;
  return first;
}

function nameIn(block: string): unknown {
  try {
    return (parse(block) as Tokens).api?.tokens?.[0]?.name;
  } catch {
    return null;
  }
}

/** Both are read as TOML, and nothing but that token is gone. */
function differsByOne(before: string, after: string, name: string): boolean {
  try {
    const was = parse(before) as Tokens & Record<string, unknown>;
    const is = parse(after) as Tokens & Record<string, unknown>;
    const kept = (was.api?.tokens ?? []).filter((token) => token.name !== name);
    const api: Record<string, unknown> = { ...was.api };
    if (kept.length > 0) api["tokens"] = kept;
    else delete api["tokens"];
    const wanted: Record<string, unknown> = { ...was, api };
    if (Object.keys(api).length === 0) delete wanted["api"];
    return sorted(wanted) === sorted(is);
  } catch {
    return false;
  }
}

function sorted(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
