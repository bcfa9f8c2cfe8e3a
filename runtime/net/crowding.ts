/** Whether there is room for one more connection that somebody else has begun. */
import { maxConnections, maxHandshakes, maxHandshakesPerAddress } from "./limits.ts";
import type { Session } from "./session.ts";

/** @param remote "host:port" of whoever comes. @returns why there is no room; null: there is. */
export function crowding(sessions: ReadonlySet<Session>, remote: string): string | null {
  if (sessions.size >= maxConnections) return "too many connections";
  const host = hostOf(remote);
  let strangers = 0;
  let fromThere = 0;
  for (const { peer, dialled, pipe } of sessions) {
    if (peer !== null || dialled) continue;
    strangers++;
    if (hostOf(pipe.remote) === host) fromThere++;
  }
  if (strangers >= maxHandshakes) return "too many who have not said who they are";
  return fromThere < maxHandshakesPerAddress
    ? null
    : "too many from one address who have not said who they are";
}

function hostOf(remote: string): string {
  return remote.slice(0, remote.lastIndexOf(":"));
}
