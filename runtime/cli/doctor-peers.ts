/** What `patina doctor` finds out of the way to the nodes to join through. */
import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { connect } from "node:net";
import { address } from "../../core/base/ids.ts";
import { resolveSeeds } from "../agent/seeds.ts";
import type { NodeConfig } from "../config/node-config.ts";
import { parseHostPort } from "../net/address.ts";
import { decodeAnswer, encodeProbe } from "../net/quic/path-probe.ts";
import { finding } from "./doctor-checks.ts";
import type { Finding } from "./doctor-command.ts";

/** A packet may get lost: it is sent again. */
const probesAtMs = [0, 150, 400] as const;
const probeBytes = 64;
const waitMs = 1000;
const nobody = "nobody listens there";
const silence = "no answer";

/** Null: it passes. */
type WhyNot = string | null;

/** That names are known, and a node answers where it is asked as this one would talk to it. */
export async function checkPeers({ gossip }: NodeConfig): Promise<Finding[]> {
  if (gossip.bootstrap.length === 0) {
    return [
      finding("peers", "ok", "no gossip.bootstrap: the node begins alone or is joined by others"),
    ];
  }
  const self = address(gossip.externalAddr ?? gossip.addr);
  const seeds = await resolveSeeds(gossip.bootstrap, self);
  const failed = seeds.failed.map(({ name, why }) =>
    finding("peers", "problem", `${name} cannot be looked up: ${why}`),
  );
  const found = [...new Set([...seeds.found.values()].flat())];
  return [...failed, ...(await Promise.all(found.map((seed) => peerFinding(seed, gossip))))];
}

async function peerFinding(
  seed: string,
  { tls, transport }: NodeConfig["gossip"],
): Promise<Finding> {
  const place = parseHostPort(seed);
  if (place === null) return finding("peers", "warning", `${seed}: it is no address`);
  const tcp = (): Promise<WhyNot> => tcpPasses(place.host, place.port);
  if (tls === null || transport === "tcp") {
    const why = await tcp();
    return why === null
      ? finding("peers", "ok", `${seed}: TCP passes`)
      : finding("peers", "warning", `${seed}: ${why}`);
  }
  const why = await udpPasses(place.host, place.port);
  if (why === null) return finding("peers", "ok", `${seed}: UDP passes, there and back`);
  const whyNoTcp = transport === "quic" ? why : await tcp();
  if (whyNoTcp === null) {
    const what = `TCP passes, UDP does not (${why}): open the port for UDP; until then TCP is used`;
    return finding("peers", "warning", `${seed}: ${what}`);
  }
  const both = why === whyNoTcp ? why : `${why} by UDP, ${whyNoTcp} by TCP`;
  const mend = both === nobody ? "" : ": does it run, and is the port open on the way?";
  return finding("peers", "warning", `${seed}: ${both}${mend}`);
}

/** A node answers packets that ask how long packets may be (`path-probe.ts`), whoever asks. */
function udpPasses(host: string, port: number): Promise<WhyNot> {
  return new Promise((resolve) => {
    const nonce = randomBytes(8);
    const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
    const timers: NodeJS.Timeout[] = [];
    const end = (why: WhyNot): void => {
      for (const timer of timers) clearTimeout(timer);
      socket.removeAllListeners();
      socket.on("error", () => {});
      socket.close();
      resolve(why);
    };
    socket.on("error", (error) => end(reasonOf(error)));
    socket.on("message", (packet) => {
      if (decodeAnswer(packet)?.nonce === nonce.toString("hex")) end(null);
    });
    // A connected socket hears when the other machine says that nobody listens there.
    socket.connect(port, host, () => {
      for (const ms of probesAtMs) {
        timers.push(setTimeout(() => socket.send(encodeProbe(nonce, probeBytes)), ms));
      }
      timers.push(setTimeout(() => end(silence), waitMs));
    });
  });
}

function tcpPasses(host: string, port: number): Promise<WhyNot> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: waitMs });
    const end = (why: WhyNot): void => {
      socket.removeAllListeners();
      socket.on("error", () => {});
      socket.destroy();
      resolve(why);
    };
    socket.on("connect", () => end(null));
    socket.on("timeout", () => end(silence));
    socket.on("error", (error) => end(reasonOf(error)));
  });
}

function reasonOf(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ECONNREFUSED") return nobody;
  return code === "ENETUNREACH" || code === "EHOSTUNREACH"
    ? "there is no way to it"
    : error.message;
}
