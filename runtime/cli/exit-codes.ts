/** What the exit codes of `patina` mean. Scripts depend on the numbers: they never change. */
export const exitCodes = {
  ok: 0,
  /** The command ran and the answer is no: a violation, no convergence, unequal runs. */
  failure: 1,
  /** Wrong use: an unknown name or option, a file that is not there, a path that cannot be written. */
  usage: 2,
  /** A configuration or scenario file that is not valid. */
  configuration: 3,
  /** No node answers at the address given. */
  unreachable: 4,
  /** The node refuses the token, or there is none. */
  unauthorized: 5,
  notFound: 6,
  schemaRefused: 7,
  timeout: 8,
  /** A broken invariant: a bug in this program. */
  invariant: 70,
  /** A second SIGINT or SIGTERM cut a graceful stop short; the first one ends with 0. */
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Ends a command with one line for the person who typed it; anything else that is thrown is a bug. */
export class CliError extends Error {
  override name = "CliError";
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}

export function usageError(message: string): CliError {
  return new CliError(exitCodes.usage, message);
}

/** The first line of what an operating system error says, without the path that the caller names anyway. */
export function systemReason(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  switch (code) {
    case "ENOENT":
      return "no such file or folder";
    case "EACCES":
    case "EPERM":
      return "permission denied";
    case "EISDIR":
      return "it is a folder";
    case "ENOTDIR":
      return "a part of the path is not a folder";
    case "EROFS":
      return "the file system is read-only";
    case "ENOSPC":
      return "no space left";
    default:
      return error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
  }
}
