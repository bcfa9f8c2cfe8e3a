/** `patina doctor`. */
import type { DoctorFlags } from "../doctor-command.ts";
import { common, configOptions, terminal, withExamples } from "./shared.ts";
import type { AddCommand, CommonFlags } from "./shared.ts";

export const add: AddCommand = (program, done) => {
  const doctor = configOptions(
    program
      .command("doctor")
      .description("Looks at everything that a node on this machine needs, and says what is wrong.")
      .option(
        "--deep",
        "read the whole database and prove that it fits together; the node must not run",
      ),
  ).action(async (options: DoctorFlags & CommonFlags) => {
    const { doctorCommand } = await import("../doctor-command.ts");
    done(await doctorCommand(options, await terminal(options)));
  });
  common(
    withExamples(doctor, ["patina doctor -c node.toml", "patina doctor -c node.toml --deep"]),
    "print one JSON object",
  );
};
