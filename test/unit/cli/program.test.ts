/** What every command has: options that scripts count on, and a help that begins with an example. */
import type { Command } from "commander";
import { describe, expect, test } from "vitest";
import { buildProgram } from "../../../runtime/cli/program.ts";

function commandsOf(command: Command, path: string): (readonly [path: string, command: Command])[] {
  return command.commands.flatMap((sub) => {
    const name = `${path} ${sub.name()}`.trim();
    // A command with others below it that runs by itself too, such as sim, is one itself.
    const runs = sub.commands.length === 0 || sub.registeredArguments.length > 0;
    return [...(runs ? [[name, sub] as const] : []), ...commandsOf(sub, name)];
  });
}

const all = commandsOf(
  buildProgram(() => {}),
  "",
);

test("there are commands", () => {
  expect(all.map(([path]) => path)).toEqual(
    expect.arrayContaining([
      "agent",
      "completion",
      "tls rotate",
      "token create",
      "sim",
      "sim merge",
    ]),
  );
});

describe.each(all)("%s", (_path, command) => {
  test("has --json and --quiet", () => {
    const options = command.options.map(({ long }) => long);
    expect(options).toEqual(expect.arrayContaining(["--json", "--quiet"]));
  });

  test("shows an example first", () => {
    let shown = "";
    command.configureOutput({ writeOut: (text) => (shown += text) });
    command.outputHelp();
    expect(shown).toMatch(/^Examples?:\n {2}\$ \S.*patina|^Examples?:\n {2}\$ patina/);
  });
});
