/** All mutants, in the order in which they are hunted. */
import { bookMutants, gossipMutants, storeMutants, syncMutants } from "./list-data.ts";
import { mergeMutants } from "./list-merge.ts";
import { swimMutants } from "./list-swim.ts";
import { clockMutants, wireMutants } from "./list-wire-clock.ts";
import type { Mutant } from "./mutant.ts";

export const mutants: readonly Mutant[] = [
  ...mergeMutants,
  ...clockMutants,
  ...storeMutants,
  ...bookMutants,
  ...syncMutants,
  ...gossipMutants,
  ...swimMutants,
  ...wireMutants,
];
