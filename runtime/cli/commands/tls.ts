/** `patina tls init`, `tls node` and `tls rotate`. */
import type { InitFlags, NodeFlags, RotateFlags } from "../tls-command.ts";
import { common, terminal, wholeNumber, withExamples } from "./shared.ts";
import type { AddCommand, CommonFlags } from "./shared.ts";

const maxDays = 36_500;

export const add: AddCommand = (program, done) => {
  const tls = withExamples(
    program
      .command("tls")
      .description("Makes the certificates by which nodes know each other.")
      .enablePositionalOptions(),
    [
      "patina tls init --dir certs --cluster payments",
      "patina tls node --dir certs --name iad-1 --address 10.0.0.1,iad-1.example.org",
      "patina tls rotate --dir certs --name iad-1 -c /etc/patina/config.toml",
    ],
  );
  const init = tls
    .command("init")
    .description("Makes the cluster's authority: ca.pem, which every node has, and ca.key.")
    .requiredOption("--dir <DIR>", "where the files are written")
    .requiredOption("--cluster <NAME>", "stands in every certificate; other clusters are refused")
    .option("--days <N>", "how long it is valid (default: 3652)", wholeNumber("--days", 1, maxDays))
    .option("--force", "replace what is there: nodes with its certificates lose each other")
    .action(async (flags: InitFlags & CommonFlags) => {
      const { tlsInit } = await import("../tls-command.ts");
      done(await tlsInit(flags, await terminal(flags)));
    });
  withExamples(init, ["patina tls init --dir certs --cluster payments"]);
  common(init, "print one JSON object with the files and when they expire");

  const node = tls
    .command("node")
    .description("Makes a node's certificate and key: NAME.pem and NAME.key.")
    .requiredOption("--dir <DIR>", "where ca.pem and ca.key are, and the files are written")
    .requiredOption("--name <NAME>", "the node's name, its own in the cluster")
    .requiredOption(
      "--address <HOST,…>",
      "IP addresses and DNS names, without ports, at which peers dial it",
    )
    .option("--days <N>", "how long it is valid (default: 365)", wholeNumber("--days", 1, maxDays))
    .option("--force", "replace what is there")
    .action(async (flags: NodeFlags & CommonFlags) => {
      const { tlsNode } = await import("../tls-command.ts");
      done(await tlsNode(flags, await terminal(flags)));
    });
  withExamples(node, [
    "patina tls node --dir certs --name iad-1 --address 10.0.0.1",
    "patina tls node --dir certs --name iad-1 --address 10.0.0.1,2001:db8::1,iad-1.example.org",
  ]);
  common(node, "print one JSON object with the files and when they expire");

  const rotate = tls
    .command("rotate")
    .description("Replaces a node's certificate and key by new ones for the same addresses.")
    .requiredOption("--dir <DIR>", "where ca.pem, ca.key, NAME.pem and NAME.key are")
    .requiredOption("--name <NAME>", "the node's name")
    .option("--address <HOST,…>", "other addresses than before")
    .option("--days <N>", "how long it is valid (default: 365)", wholeNumber("--days", 1, maxDays))
    .option(
      "-c, --config <FILE>",
      "the node's configuration: its files are replaced, and the running node takes them over",
    )
    .action(async (flags: RotateFlags & CommonFlags) => {
      const { tlsRotate } = await import("../tls-command.ts");
      done(await tlsRotate(flags, await terminal(flags)));
    });
  withExamples(rotate, [
    "patina tls rotate --dir certs --name iad-1",
    "patina tls rotate --dir certs --name iad-1 -c /etc/patina/config.toml",
  ]);
  common(rotate, "print one JSON object with the files and when they expire");
};
