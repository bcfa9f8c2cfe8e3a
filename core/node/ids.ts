/**
 * Numbers for store requests and timers: `n · 4 + machine`, so that an answer finds its way back
 * to the machine that asked (0 membership, 1 broadcast, 2 sync, 3 the replica itself).
 */
export const machines = { swim: 0, gossip: 1, sync: 2, replica: 3 } as const;

export type Machine = (typeof machines)[keyof typeof machines];

export function machineOf(id: number): Machine {
  return (id % 4) as Machine;
}

export class IdSource {
  readonly #machine: Machine;
  #n = 0;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** Never given before by this source. */
  next(): number {
    return ++this.#n * 4 + this.#machine;
  }
}
