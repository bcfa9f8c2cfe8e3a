/** A configuration that cannot be used: one line that names file, key and mend. */
export class ConfigError extends Error {
  override name = "ConfigError";
}
