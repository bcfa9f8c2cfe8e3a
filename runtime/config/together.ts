/** What settings must be with regard to each other. */
import { hostOf, isLoopback } from "../auth/listen-guard.ts";
import { isUnspecified } from "../net/address.ts";
import { ConfigError } from "./config-error.ts";
import type { SettingInForce } from "./load-config.ts";

/** @throws ConfigError */
export function checkTogether(all: readonly SettingInForce[]): void {
  const settings = new Map(all.map((setting) => [setting.key, setting]));
  const value = (key: string): unknown => settings.get(key)?.value ?? null;
  const origin = (...keys: string[]): string => {
    const said = keys.map((key) => settings.get(key)).find((one) => one?.origin !== "default");
    return said === undefined ? "" : `${said.origin}: `;
  };
  whole(["gossip.tls.ca_file", "gossip.tls.cert_file", "gossip.tls.key_file"], value, origin);
  whole(["api.tls.cert_file", "api.tls.key_file"], value, origin);
  const tls = value("gossip.tls.cert_file") !== null;
  const plaintext = value("gossip.plaintext");
  if (tls && plaintext !== false) {
    throw new ConfigError(
      `${origin("gossip.plaintext")}gossip.plaintext and [gossip.tls] exclude each other; take one of them out`,
    );
  }
  const addr = value("gossip.addr") as string;
  const external = value("gossip.external_addr") as string | null;
  if (isUnspecified(hostOf(addr)) && external === null) {
    throw new ConfigError(
      `${origin("gossip.addr")}gossip.addr: peers cannot dial ${addr}; say what they dial with gossip.external_addr`,
    );
  }
  if (
    !tls &&
    plaintext !== "force" &&
    !(isLoopback(hostOf(addr)) && isLoopback(hostOf(external ?? addr)))
  ) {
    throw new ConfigError(
      `${origin("gossip.addr", "gossip.external_addr")}gossip.addr: without certificates a node talks on loopback only; make some with patina tls init and patina tls node, and name them under [gossip.tls]`,
    );
  }
}

/** All of a group or none. */
function whole(
  keys: readonly string[],
  value: (key: string) => unknown,
  origin: (...keys: string[]) => string,
): void {
  const said = keys.filter((key) => value(key) !== null);
  if (said.length === 0 || said.length === keys.length) return;
  const missing = keys.filter((key) => value(key) === null);
  throw new ConfigError(
    `${origin(...said)}${said[0]} is given but ${missing.join(" and ")} not; give all`,
  );
}
