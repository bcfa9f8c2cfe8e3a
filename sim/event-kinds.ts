/** What an event of the kernel is, told by a small number. The letters say what `a`, `b`, `c` and `ref` carry. */

/** ref: the packet. */
export const evArrive = 1;
/** a: node, b: token, c: the node's boot when it was set. */
export const evTimer = 2;
/** a: node, c: boot. A busy node is free again. */
export const evFree = 3;
/** a: plane, b: the link, c: boot of the sender. A reliable send is given up. */
export const evUnreachable = 4;
/** a: node told, b: round trip in µs, c: boot, ref: the peer's address. */
export const evRtt = 5;
/** a: node, c: boot. Time to make the store safe against power loss. */
export const evCheckpoint = 6;
/** a: node. Time to tell a data state that was held back. */
export const evState = 7;
/** a: index of the workload. */
export const evWorkload = 8;
/** a: index of the planned fault. */
export const evFault = 9;
/** a: index of the nemesis. */
export const evNemesis = 10;
/** Time to look at the replicas from outside. */
export const evSample = 11;
/** a: index of the hostile peer. */
export const evHostile = 12;
/** a: id of the fault. It was begun with its end. */
export const evLift = 13;
/** a: node, c: boot. A leave that takes too long is cut short. */
export const evLeaveOver = 14;
