/** seedrandom's alea flavour (Johannes Baagøe, 2010): 80 bytes of state, arithmetic only, the same in every engine. */
declare module "seedrandom/lib/alea.js" {
  /** Returns a generator of numbers in [0, 1) with 32 bits of resolution. */
  export default function alea(seed: string): () => number;
}
