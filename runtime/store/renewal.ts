/**
 * When a store must write under another name than the file has. Numbers of versions that others may
 * have seen are never used again; so a file that may have lost commits since, because it is a copy
 * or because the power failed, goes on as a fresh author. Its old versions are an author's like any
 * other: what is missing of them comes back from the peers.
 */
import { readFileSync } from "node:fs";
import type { ActorId, NodeId } from "../../core/base/ids.ts";
import type { Engine } from "./engine.ts";
import { StoreOpenError } from "./open-database.ts";
import type { StoredState } from "./stored-state.ts";

/** Of stores that are no node's. */
export const noNode = "0".repeat(32) as NodeId;

export interface Renewal {
  /** `asked` by the options, a `backup` opened for the first time, or `lost commits`. */
  readonly why: "asked" | "backup" | "lost commits";
  /** `actor`: the same node under another author's name. `node`: another node as well. */
  readonly what: "actor" | "node";
  readonly before: { readonly actor: ActorId; readonly node: NodeId };
}

export interface RenewalOptions {
  /** For messages. */
  readonly path: string;
  /** What is taken. */
  readonly actor: ActorId;
  readonly node: NodeId;
  readonly renew: Renewal["what"] | null;
  readonly bootId: string;
}

export function renewalOf(state: StoredState, options: RenewalOptions): Renewal | null {
  const { actor, node, opened, clean } = state;
  const before = { actor, node };
  if (opened.backup) return { why: "backup", what: options.renew ?? "node", before };
  if (options.renew !== null) return { why: "asked", what: options.renew, before };
  // A process that is killed loses nothing; a machine that stops loses what was not on the disk.
  const sameBoot = opened.bootId !== "" && opened.bootId === options.bootId;
  if (clean || opened.durable || sameBoot) return null;
  return { why: "lost commits", what: "actor", before };
}

/** @throws StoreOpenError when the options have no fresh name. */
export function renew(engine: Engine, renewal: Renewal, options: RenewalOptions): void {
  const { path, actor, node } = options;
  const needs = {
    asked: "was asked to go on",
    backup: "is a backup and goes on",
    "lost commits": "may have lost commits with the power and goes on",
  };
  const told = `${path} ${needs[renewal.why]} under a fresh id`;
  if (engine.actors.find(actor) !== undefined) {
    throw new StoreOpenError(
      `${told}; actor ${actor} has been used already, so give it a new random one`,
    );
  }
  if (renewal.what === "node" && node === renewal.before.node && node !== noNode) {
    throw new StoreOpenError(
      `${told}; node ${node} is the one that it was, so give it a new random one`,
    );
  }
  engine.renew(actor, renewal.what === "node" ? node : null);
}

/** Another after each start of the operating system; "" where it does not tell. */
export function readBootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
  } catch {
    return "";
  }
}
