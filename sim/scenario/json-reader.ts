/**
 * Reads checked values out of parsed JSON. What is wrong is thrown as a `ScenarioError` that names
 * the key's path and the mend; `parse.ts` turns it into a tagged value, so it never leaves this folder.
 */
import { nearest } from "../../core/base/nearest.ts";

export class ScenarioError extends Error {
  override name = "ScenarioError";

  constructor(path: string, problem: string) {
    super(path === "" ? problem : `${path}: ${problem}`);
  }
}

export type JsonObject = Readonly<Record<string, unknown>>;

export function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/** An object none of whose keys is unknown. */
export function readObject(value: unknown, path: string, keys: readonly string[]): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ScenarioError(path, `must be an object, not ${show(value)}`);
  }
  for (const key of Object.keys(value)) {
    if (keys.includes(key)) continue;
    const near = nearest(key, keys);
    const hint =
      near === null ? `the keys known here are ${keys.join(", ")}` : `did you mean "${near}"?`;
    throw new ScenarioError(at(path, key), `unknown key; ${hint}`);
  }
  return value as JsonObject;
}

export function at(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}

export function readArray(value: unknown, path: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new ScenarioError(path, `must be a list, not ${show(value)}`);
  return value;
}

export function readString(value: unknown, path: string): string {
  if (typeof value !== "string") throw new ScenarioError(path, `must be text, not ${show(value)}`);
  return value;
}

export function readBoolean(value: unknown, path: string): boolean {
  if (typeof value !== "boolean") {
    throw new ScenarioError(path, `must be true or false, not ${show(value)}`);
  }
  return value;
}

export function readNumber(
  value: unknown,
  path: string,
  min: number,
  max: number,
  what = "a number",
): number {
  if (typeof value !== "number" || !Number.isFinite(value)) {
    throw new ScenarioError(path, `must be ${what}, not ${show(value)}`);
  }
  if (value < min || value > max) {
    const range = max === Infinity ? `at least ${min}` : `from ${min} to ${max}`;
    throw new ScenarioError(path, `${value} is out of range; it must be ${range}`);
  }
  return value;
}

export function readInteger(value: unknown, path: string, min: number, max: number): number {
  if (typeof value === "number" && !Number.isInteger(value)) {
    throw new ScenarioError(path, `must be a whole number, not ${show(value)}`);
  }
  return readNumber(value, path, min, max, "a whole number");
}

export function readOneOf<T extends string>(
  value: unknown,
  path: string,
  choices: readonly T[],
): T {
  if (typeof value === "string" && (choices as readonly string[]).includes(value))
    return value as T;
  const near = typeof value === "string" ? nearest(value, choices) : null;
  const hint =
    near === null ? `it must be one of ${choices.join(", ")}` : `did you mean "${near}"?`;
  throw new ScenarioError(path, `${show(value)} is not known; ${hint}`);
}

export function required(value: unknown, path: string): unknown {
  if (value === undefined) throw new ScenarioError(path, "is required");
  return value;
}
