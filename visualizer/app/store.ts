/** One state, replaced as a whole; whoever listens is told once a change. */
export class Store<T extends object> {
  #state: T;
  #listeners = new Set<(state: T, before: T) => void>();

  constructor(state: T) {
    this.#state = state;
  }

  get state(): T {
    return this.#state;
  }

  set(change: Partial<T>): void {
    const before = this.#state;
    const changed = (Object.keys(change) as (keyof T)[]).some((key) => change[key] !== before[key]);
    if (!changed) return;
    this.#state = { ...before, ...change };
    for (const listener of this.#listeners) listener(this.#state, before);
  }

  listen(listener: (state: T, before: T) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
