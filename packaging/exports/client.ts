/** `patina/client`: asks a node over its API. */
export * from "../../runtime/client/client.ts";
