/** What settings must be with regard to each other. */
import { hostOf, isLoopback } from "../auth/listen-guard.ts";
import { isUnspecified } from "../net/address.ts";
import type { Complaints } from "./config-error.ts";
import type { SettingInForce } from "./load-config.ts";

const tlsKeys = ["gossip.tls.ca_file", "gossip.tls.cert_file", "gossip.tls.key_file"];

/** What stands in doubt already is left out: more of it would only confuse. */
export function checkTogether(all: readonly SettingInForce[], complaints: Complaints): void {
  const settings = new Map(all.map((setting) => [setting.key, setting]));
  const value = (key: string): unknown => settings.get(key)?.value ?? null;
  const origin = (...keys: string[]): string => {
    const said = keys.map((key) => settings.get(key)).find((one) => one?.origin !== "default");
    return said === undefined ? "" : `${said.origin}: `;
  };
  const known = (...keys: readonly string[]): boolean =>
    keys.every((key) => !complaints.doubts(key));
  for (const keys of [tlsKeys, ["api.tls.cert_file", "api.tls.key_file"]]) {
    const why = known(...keys) ? missingOf(keys, value, origin) : null;
    if (why !== null) complaints.tell(why, ...keys);
  }
  const tls = value("gossip.tls.cert_file") !== null;
  const plaintext = value("gossip.plaintext");
  if (known(...tlsKeys, "gossip.plaintext") && tls && plaintext !== false) {
    complaints.tell(
      `${origin("gossip.plaintext")}gossip.plaintext and [gossip.tls] exclude each other; take one of them out`,
    );
  }
  if (!known("gossip.addr", "gossip.external_addr")) return;
  const addr = value("gossip.addr") as string;
  const external = value("gossip.external_addr") as string | null;
  if (isUnspecified(hostOf(addr)) && external === null) {
    complaints.tell(
      `${origin("gossip.addr")}gossip.addr: peers cannot dial ${addr}; say what they dial with gossip.external_addr`,
    );
  }
  if (
    known(...tlsKeys, "gossip.plaintext") &&
    !tls &&
    plaintext !== "force" &&
    !(isLoopback(hostOf(addr)) && isLoopback(hostOf(external ?? addr)))
  ) {
    complaints.tell(
      `${origin("gossip.addr", "gossip.external_addr")}gossip.addr: without certificates a node talks on loopback only; make some with patina tls init and patina tls node, and name them under [gossip.tls]`,
    );
  }
}

/** Why a group is not whole: all of it is given or nothing. */
function missingOf(
  keys: readonly string[],
  value: (key: string) => unknown,
  origin: (...keys: string[]) => string,
): string | null {
  const said = keys.filter((key) => value(key) !== null);
  if (said.length === 0 || said.length === keys.length) return null;
  const missing = keys.filter((key) => value(key) === null);
  return `${origin(...said)}${said[0]} is given but ${missing.join(" and ")} not; give all`;
}
