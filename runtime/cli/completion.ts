/** Completion scripts, made from the commands themselves, so that they name what there is and nothing else. */
import type { Command } from "commander";

interface Entry {
  /** "sim merge"; "" for the program itself. */
  readonly path: string;
  readonly words: readonly { readonly word: string; readonly about: string }[];
}

/** Null for a shell that is not known. */
export function completionFor(shell: string, program: Command): string | null {
  const entries = entriesOf(program, "");
  switch (shell) {
    case "bash":
      return bash(entries);
    case "zsh":
      return zsh(entries);
    case "fish":
      return fish(entries);
    default:
      return null;
  }
}

function entriesOf(command: Command, path: string): Entry[] {
  const words = [
    ...command.commands.map((sub) => ({ word: sub.name(), about: sub.description() })),
    ...command.options.map((option) => ({
      word: option.long ?? option.short ?? "",
      about: option.description,
    })),
    { word: "--help", about: "what there is" },
  ];
  const inner = command.commands.flatMap((sub) => {
    return entriesOf(sub, path === "" ? sub.name() : `${path} ${sub.name()}`);
  });
  return [{ path, words }, ...inner];
}

/** The words before the cursor that are commands, joined, are looked up; options and files are passed over. */
function bash(entries: readonly Entry[]): string {
  const cases = entries.map(({ path, words }) => {
    return `    "${path}") words="${words.map(({ word }) => word).join(" ")}" ;;`;
  });
  const known = entries.filter(({ path }) => path !== "").map(({ path }) => `"${path}"`);
  return `# bash completion for patina
_patina() {
  local path="" word words="" i try
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    try="\${path:+$path }$word"
    case "$try" in ${known.join("|")}) path="$try" ;; esac
  done
  case "$path" in
${cases.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _patina patina`;
}

function zsh(entries: readonly Entry[]): string {
  const cases = entries.map(({ path, words }) => {
    const list = words.map(({ word, about }) => quoted(`${word}:${about.replaceAll(":", " ")}`));
    return `    "${path}") list=(${list.join(" ")}) ;;`;
  });
  const known = entries.filter(({ path }) => path !== "").map(({ path }) => `"${path}"`);
  return `#compdef patina
_patina() {
  local place="" word try
  local -a list
  for word in "\${(@)words[2,CURRENT-1]}"; do
    try="\${place:+$place }$word"
    case "$try" in (${known.join("|")}) place="$try" ;; esac
  done
  case "$place" in
${cases.join("\n")}
  esac
  _describe patina list
  _files
}
compdef _patina patina`;
}

function fish(entries: readonly Entry[]): string {
  const lines = entries.flatMap(({ path, words }) => {
    const parts = path === "" ? [] : path.split(" ");
    const condition =
      parts.length === 0
        ? "__fish_use_subcommand"
        : parts.map((part) => `__fish_seen_subcommand_from ${part}`).join("; and ");
    return words.map(({ word, about }) => {
      const what = word.startsWith("--") ? `-l ${word.slice(2)}` : `-f -a ${word}`;
      return `complete -c patina -n ${quoted(condition)} ${what} -d ${quoted(about)}`;
    });
  });
  return ["# fish completion for patina", ...lines].join("\n");
}

/** For a POSIX shell; fish reads it the same way. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
