/**
 * The columns that a payload has named for its present table, numbered from 1 in the order of their
 * naming. Writer and reader keep one each for all payloads: emptying it gives nothing back and
 * takes nothing new.
 */

/** Names looked through one by one; most tables have fewer columns. */
const fewColumns = 16;

export class ColumnNumbers {
  readonly #names: string[] = [];
  /** The same, once they are too many to look through. */
  #known: Map<string, number> | null = null;

  get size(): number {
    return this.#names.length;
  }

  clear(): void {
    // One by one: a length of 0 would give back the room that the next ones need.
    while (this.#names.length > 0) this.#names.pop();
    this.#known = null;
  }

  /** 0 when the column was not named. */
  numberOf(name: string): number {
    if (this.#known !== null) return this.#known.get(name) ?? 0;
    const names = this.#names;
    for (let i = 0; i < names.length; i++) if (names[i] === name) return i + 1;
    return 0;
  }

  /** `number` is one that the bytes say, so it may be anybody's. */
  nameOf(number: number): string | undefined {
    return number <= this.#names.length ? this.#names[number - 1] : undefined;
  }

  /** Names a column that was not named. Returns its number. */
  add(name: string): number {
    const number = this.#names.push(name);
    if (this.#known !== null) this.#known.set(name, number);
    else if (number > fewColumns) this.#known = new Map(this.#names.map((n, i) => [n, i + 1]));
    return number;
  }
}
