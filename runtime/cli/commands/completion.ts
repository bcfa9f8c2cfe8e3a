/** `patina completion`. */
import { CliError, exitCodes } from "../exit-codes.ts";
import { common, terminal, withExamples } from "./shared.ts";
import type { AddCommand, CommonFlags } from "./shared.ts";

export const add: AddCommand = (program, done) => {
  const completion = program
    .command("completion")
    .description("Prints what makes a shell complete patina's commands and options.")
    .argument("<shell>", "bash, zsh or fish")
    .action(async (shell: string, flags: CommonFlags) => {
      const { completionFor } = await import("../completion.ts");
      const script = completionFor(shell, program);
      if (script === null) {
        throw new CliError(
          exitCodes.usage,
          `there is no completion for ${shell}; there is bash, zsh and fish`,
        );
      }
      const text = flags.json === true ? JSON.stringify({ shell, script }) : script;
      (await terminal(flags)).print(text);
      done(exitCodes.ok);
    });
  withExamples(completion, [
    "source <(patina completion bash)",
    "patina completion fish > ~/.config/fish/completions/patina.fish",
  ]);
  common(completion, "print one JSON object with the shell and the script");
};
