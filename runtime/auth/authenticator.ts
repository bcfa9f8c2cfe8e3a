/** Who a caller is, by the token that it shows. */
import { timingSafeEqual } from "node:crypto";
import type { TokenConfig } from "../config/node-config.ts";
import { hashToken } from "./token.ts";

/** Names of tables, folded to lower case; "*" is every table but the node's own. */
export type TableSet = ReadonlySet<string>;

export interface Principal {
  /** The token's name; null where the API is open and nobody shows one. */
  readonly name: string | null;
  readonly read: TableSet;
  readonly write: TableSet;
  /** Everything, the node's own tables included. */
  readonly admin: boolean;
}

const everything: TableSet = new Set(["*"]);

/** Whoever comes, where no tokens are configured. */
export const anyone: Principal = { name: null, read: everything, write: everything, admin: true };

interface Known {
  readonly hash: Buffer;
  readonly principal: Principal;
}

export class Authenticator {
  #known = new Map<string, Known>();
  readonly #mayBeOpen: boolean;

  /** @param mayBeOpen without tokens everybody may do everything; else nobody may do anything. */
  constructor(tokens: readonly TokenConfig[], mayBeOpen: boolean) {
    this.#mayBeOpen = mayBeOpen;
    this.reload(tokens);
  }

  get open(): boolean {
    return this.#mayBeOpen && this.#known.size === 0;
  }

  /** From now on these are the tokens; what is not among them is revoked. */
  reload(tokens: readonly TokenConfig[]): void {
    this.#known = new Map(
      tokens.map((token) => {
        const principal = {
          name: token.name,
          read: tableSet(token.read),
          write: tableSet(token.write),
          admin: token.admin,
        };
        return [token.hash, { hash: Buffer.from(token.hash), principal }] as const;
      }),
    );
  }

  /** @param header the Authorization header. @returns null for a stranger. */
  authenticate(header: string | undefined): Principal | null {
    if (this.open) return anyone;
    const token = bearerToken(header);
    if (token === null) return null;
    const hash = hashToken(token);
    const known = this.#known.get(hash);
    // The map compares hashes in a time that tells something of them, but nobody can choose a hash.
    return known !== undefined && timingSafeEqual(known.hash, Buffer.from(hash))
      ? known.principal
      : null;
  }
}

/** The scheme's name is the same in capitals and small letters (RFC 9110, section 11.1). */
function bearerToken(header: string | undefined): string | null {
  const match = header === undefined ? null : /^bearer +(\S+) *$/i.exec(header);
  return match === null ? null : (match[1] as string);
}

function tableSet(names: readonly string[]): TableSet {
  return new Set(names.map((name) => name.toLowerCase()));
}

export function holds(set: TableSet, table: string): boolean {
  return set.has("*") || set.has(table);
}
