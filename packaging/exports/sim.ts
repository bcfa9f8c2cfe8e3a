/** `patina/sim`: the simulator; it is handed a store and runs scenarios. */
export { createRun, Run, type RunOptions, runScenario } from "../../sim/run.ts";
export type * from "../../sim/result.ts";
export { parseScenario, parseScenarioText } from "../../sim/scenario/parse.ts";
export type * from "../../sim/scenario/scenario.ts";
export type * from "../../sim/store-factory.ts";
export { memoryStores } from "../../sim/store/memory-disk.ts";
