/**
 * Tokens of the API. A token is 256 random bits, so its plain SHA-256 keeps it as safe as any slower
 * hash would; only the hash is written down.
 */
import { hash, randomBytes } from "node:crypto";

/** Tells people and secret scanners what it is. */
const tokenPrefix = "patina_";
/** Says how the hash was made, so that another way can follow. */
const hashPrefix = "sha256:";
const hashForm = /^sha256:[0-9a-f]{64}$/;

export interface NewToken {
  /** Shown once, to whoever is to use it. */
  readonly token: string;
  /** For the configuration. */
  readonly hash: string;
}

export function createToken(): NewToken {
  const token = tokenPrefix + randomBytes(32).toString("base64url");
  return { token, hash: hashToken(token) };
}

export function hashToken(token: string): string {
  return hashPrefix + hash("sha256", token, "hex");
}

/** Whether `text` is what `patina token create` prints as a hash. */
export function isTokenHash(text: string): boolean {
  return hashForm.test(text);
}
