/** Bounds of the network layer, each with its reason. Times are milliseconds. */

/** Connections to peers, dialled and accepted: three times the largest fleet that is tested. */
export const maxConnections = 1024;

/** Accepted connections that have not said who they are; more are turned away. */
export const maxHandshakes = 256;

/** Of these, how many may come from one source address: nobody keeps all others out alone. */
export const maxHandshakesPerAddress = 128;

/** From so many unfinished handshakes on, a stranger proves its address before any state is kept for it. */
export const retryFromHandshakes = 16;

/** Handshakes that one source address may begin: so many at once… */
export const handshakeBurst = 100;
/** …and so many a second after that. A machine that runs thirty nodes starts them together. */
export const handshakesPerSecond = 50;

/** From dialling to the peer's welcome. As the simulator: a handshake with its retries takes about 2 s. */
export const dialTimeoutMs = 3000;

/** With kind `auto`: UDP has this long before TCP is tried beside it… */
export const udpHeadStartMs = 1200;
/** …and a peer that only TCP reached is tried by UDP again after this. */
export const tcpRememberedMs = 120_000;

/**
 * With kind `auto`: a connection over TCP is moved to UDP after this long, if UDP passes by then…
 */
export const firstMoveMs = 3000;
/** …and tried again after twice the time, up to this. */
export const lastMoveMs = 300_000;

/** A carrier's round trip is wrong when it is longer than this… */
export const lateRttMs = 1000;
/** …and so many times as long as what a ping took… */
export const lateRttFactor = 20;
/** …for so many pings in a row: what a busy machine is late passes. */
export const lateRttPings = 3;

/** An accepted connection says who it is within this time. */
export const helloTimeoutMs = 5000;

/** A live peer acknowledges within milliseconds; one that is silent for this long is gone. */
export const silenceMs = 6000;
/** TCP gives no sign of its acknowledgements: after this much silence the peer is asked. */
export const pingAfterMs = 2000;

/** A connection that carried nothing for this long is ended. Dialling again costs 5 ms. */
export const idleMs = 300_000;

/** The orderly end of a connection is cut when nothing has moved for this long… */
export const endingMs = 3000;
/** …and at the latest after this long. The longest frame takes it on 20 Mbit/s. */
export const maxEndingMs = 30_000;

/** How often connections are looked over. */
export const tickMs = 1000;

/** A connection in use tells its round trip this often. */
export const rttEveryMs = 5000;

/** After a failed dial the next one waits, from… */
export const minBackoffMs = 100;
/** …doubling to this. A peer that restarts dials by itself, which ends the wait. */
export const maxBackoffMs = 2000;

/**
 * Bytes that may wait for one peer. A message that is longer alone is taken when nothing else
 * waits, so that the longest frame always gets through.
 */
export const maxQueuedBytes = 32 * 1024 * 1024;

/** Datagrams kept while a connection is being made; a membership probe is worth no more than a handshake's wait. */
export const maxEarlyDatagrams = 16;

/**
 * Bytes of messages that a carrier hands on in one turn of the event loop, of all connections together:
 * two milliseconds of work with long versions, several with the shortest.
 */
export const turnBytes = 128 * 1024;

/** What is handed to a connection at a time. */
export const writeBytes = 64 * 1024;

/** A control frame: names and addresses, no more. */
export const maxControlBytes = 4096;

/** How long a resolved name is believed. */
export const resolvedMs = 30_000;
/** Names kept. */
export const maxResolved = 1024;

/** Sources whose turning away is told one by one each second; past it they are only counted. */
export const maxToldPerSecond = 20;
