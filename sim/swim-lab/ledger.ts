import type { DropReason, Packet } from "../network/packet.ts";

/** What was sent, by kind. Payload bytes: no headers of UDP, IP or QUIC. */
export class Ledger {
  messages = 0;
  bytes = 0;
  drops = 0;
  readonly byKind = new Map<string, { messages: number; bytes: number }>();

  sent(packet: Packet): void {
    this.messages++;
    this.bytes += packet.bytes.length;
    let row = this.byKind.get(packet.kind);
    if (row === undefined) {
      row = { messages: 0, bytes: 0 };
      this.byKind.set(packet.kind, row);
    }
    row.messages++;
    row.bytes += packet.bytes.length;
  }

  dropped(_packet: Packet, _why: DropReason): void {
    this.drops++;
  }

  reset(): void {
    this.messages = 0;
    this.bytes = 0;
    this.drops = 0;
    this.byKind.clear();
  }
}
