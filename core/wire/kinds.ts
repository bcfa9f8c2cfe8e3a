/** Every message kind: its number on the wire (never reused) and its name in traces. */
export const messageKinds = {
  // swim
  ping: 1,
  ack: 2,
  nack: 3,
  pingReq: 4,
  gossip: 5,
  memberDigest: 6,
  memberGroups: 7,
  join: 8,
  joinReply: 9,
  // broadcast
  push: 32,
  ihave: 33,
  graft: 34,
  prune: 35,
  // anti-entropy
  syncDigest: 64,
  syncSummary: 65,
  syncRequest: 66,
  syncChunks: 67,
  syncDone: 68,
  rangeDigest: 69,
  rowStates: 70,
  sealedChunks: 71,
} as const;

export type MessageKind = keyof typeof messageKinds;
