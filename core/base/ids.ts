/** Names of things on the network and in the data, branded so that one cannot stand for another. */

declare const brand: unique symbol;
type Branded<T, Name extends string> = T & { readonly [brand]: Name };

/** Where a node can be reached, "host:port" in production, "n0" in the simulator. At most 255 bytes of UTF-8. */
export type Address = Branded<string, "Address">;

/** The author of versions: 16 bytes, as 32 lower-case hex digits. A node that may have lost commits takes a new one. */
export type ActorId = Branded<string, "ActorId">;

/** A node's identity: 16 bytes, as 32 lower-case hex digits, kept with its data; gone only with its disk. */
export type NodeId = Branded<string, "NodeId">;

const hex32 = /^[0-9a-f]{32}$/;

export function isHexId(text: string): boolean {
  return hex32.test(text);
}

export function address(text: string): Address {
  return text as Address;
}

/** @throws RangeError unless `text` is 32 lower-case hex digits. */
export function actorId(text: string): ActorId {
  if (!hex32.test(text))
    throw new RangeError(`actor id is 32 hex digits, not ${JSON.stringify(text)}`);
  return text as ActorId;
}

/** @throws RangeError unless `text` is 32 lower-case hex digits. */
export function nodeId(text: string): NodeId {
  if (!hex32.test(text))
    throw new RangeError(`node id is 32 hex digits, not ${JSON.stringify(text)}`);
  return text as NodeId;
}

/** The order that decides wherever actors are compared: by code unit of the hex digits, which is the order of the bytes. */
export function compareIds(a: string, b: string): -1 | 0 | 1 {
  return a < b ? -1 : a > b ? 1 : 0;
}
