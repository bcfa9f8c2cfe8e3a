/** `patina completion`. */
import { CliError, exitCodes } from "../exit-codes.ts";
import { terminal, withExamples } from "./shared.ts";
import type { AddCommand } from "./shared.ts";

export const add: AddCommand = (program, done) => {
  const completion = program
    .command("completion")
    .description("Prints what makes a shell complete patina's commands and options.")
    .argument("<shell>", "bash, zsh or fish")
    .action(async (shell: string) => {
      const { completionFor } = await import("../completion.ts");
      const script = completionFor(shell, program);
      if (script === null) {
        throw new CliError(
          exitCodes.usage,
          `there is no completion for ${shell}; there is bash, zsh and fish`,
        );
      }
      (await terminal({})).print(script);
      done(exitCodes.ok);
    });
  withExamples(completion, [
    "source <(patina completion bash)",
    "patina completion fish > ~/.config/fish/completions/patina.fish",
  ]);
};
