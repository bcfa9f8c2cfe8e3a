/** seedrandom's alea flavour (Johannes Baagøe, 2010): arithmetic only, the same in every engine. */
declare module "seedrandom/lib/alea.js" {
  interface AleaState {
    readonly c: number;
    readonly s0: number;
    readonly s1: number;
    readonly s2: number;
  }
  interface Alea {
    /** A number in [0, 1) with 32 bits of resolution. */
    (): number;
    state(): AleaState;
  }
  export default function alea(seed: string, options: { readonly state: true }): Alea;
}
