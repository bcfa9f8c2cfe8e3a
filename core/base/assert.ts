/** A broken invariant is a bug in this program: say what was expected and stop. Never for hostile input. */
export class InvariantError extends Error {
  override name = "InvariantError";
}

export function assert(condition: boolean, expected: string): asserts condition {
  if (!condition) throw new InvariantError(expected);
}

/** Closes an exhaustive switch: a case that was forgotten is a type error here. */
export function unreachable(value: never): never {
  throw new InvariantError(`unreachable case: ${JSON.stringify(value)}`);
}
