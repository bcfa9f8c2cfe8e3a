/** `patina`: a node inside another program, and the store alone. The program `patina` is beside it. */
export {
  type Agent,
  AgentError,
  type AgentOptions,
  startAgent,
} from "../../runtime/agent/agent.ts";
export type * from "../../runtime/agent/node-service.ts";
export { type LoadedConfig, loadConfig } from "../../runtime/config/load-config.ts";
export type { NodeConfig } from "../../runtime/config/node-config.ts";
export { startLog, type NodeLog } from "../../runtime/observe/logger.ts";
export { SqliteStore, type SqliteStoreOptions } from "../../runtime/store/sqlite-store.ts";
