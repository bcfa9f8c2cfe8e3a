/** A configuration that cannot be used: lines that name file, key and mend. */
export class ConfigError extends Error {
  override name = "ConfigError";
  /** Everything that is wrong, a line each; the message is the first. */
  readonly all: readonly string[];

  constructor(message: string, others: readonly string[] = []) {
    super(message);
    this.all = [message, ...others];
  }
}

/** Collects what is wrong, so that all of it is told at once. */
export class Complaints {
  readonly #told: string[] = [];
  readonly #doubtful = new Set<string>();

  /** @param keys settings of which nothing is known now: what is said of them together would only confuse. */
  tell(message: string, ...keys: readonly string[]): void {
    this.#told.push(message);
    for (const key of keys) this.#doubtful.add(key);
  }

  /** @param found whatever throws for the first thing wrong. @param fallback what to go on with then. */
  catching<T>(found: () => T, fallback: T, ...keys: readonly string[]): T {
    try {
      return found();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      for (const line of error.all) this.tell(line, ...keys);
      return fallback;
    }
  }

  /** A section counts for all in it. */
  doubts(key: string): boolean {
    return [...this.#doubtful].some((one) => key === one || key.startsWith(`${one}.`));
  }

  /** In the order in which they were told. */
  get all(): readonly string[] {
    return this.#told;
  }

  /** @throws ConfigError where anything was told */
  check(): void {
    const [first, ...others] = this.#told;
    if (first !== undefined) throw new ConfigError(first, others);
  }
}
