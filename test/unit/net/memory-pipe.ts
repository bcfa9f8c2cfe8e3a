/** Two pipes in memory, joined: bytes travel when a test says so, a lane at a time. */
import type { X509Certificate } from "node:crypto";
import { laneCount } from "../../../runtime/net/pipe.ts";
import type { CloseCode, Pipe, PipeEvents, PipeKind } from "../../../runtime/net/pipe.ts";

export class MemoryPipe implements Pipe {
  kind: PipeKind = "quic";
  readonly remote: string = "10.0.0.9:1";
  certificate: X509Certificate | null = null;
  readonly maxDatagramBytes = 1300;
  rttMs: number | null = null;
  readonly bufferedBytes = 0;
  readonly resetToken = new Uint8Array(0);
  readonly dialled: boolean;
  heardMs = 0;
  other: MemoryPipe | null = null;
  events: PipeEvents | null = null;
  /** What this side has written and the other has not read. */
  readonly lanes: number[][] = Array.from({ length: laneCount }, () => []);
  closedBy: { readonly code: number; readonly reason: string } | null = null;
  capacityBytes = 50;
  /** As TCP: the other side hears of the close, but not why. */
  closesWithoutCode = false;

  constructor(dialled: boolean) {
    this.dialled = dialled;
  }

  capacity(lane: number): number {
    return Math.max(0, this.capacityBytes - (this.lanes[lane] as number[]).length);
  }

  write(lane: number, bytes: Uint8Array): void {
    (this.lanes[lane] as number[]).push(...bytes);
  }

  datagram(bytes: Uint8Array): boolean {
    this.other?.events?.datagramReceived(bytes.slice());
    return true;
  }

  wake(): void {
    // `carry` asks each side to write.
  }

  expectReset(): void {
    // There is none.
  }

  close(code: CloseCode, reason: string): void {
    this.events = null;
    this.closedBy ??= { code, reason };
  }

  /** Moves up to `most` bytes of a lane to the other side. */
  carry(lane: number, most: number): void {
    this.events?.writable();
    const part = (this.lanes[lane] as number[]).splice(0, most);
    if (part.length > 0) this.other?.events?.data(lane, Uint8Array.from(part));
  }

  /** The other side hears that this one has closed; what it had not read is gone. */
  carryClose(): void {
    const { other, closedBy } = this;
    if (closedBy === null || other === null) return;
    const { events } = other;
    other.events = null;
    events?.closed(this.closesWithoutCode ? null : closedBy.code, closedBy.reason);
  }
}

export function memoryPipes(): [dialler: MemoryPipe, accepter: MemoryPipe] {
  const [a, b] = [new MemoryPipe(true), new MemoryPipe(false)];
  a.other = b;
  b.other = a;
  return [a, b];
}

/** Everything that is written travels, until nobody has anything more to say. */
export function settle(pipes: readonly MemoryPipe[]): void {
  for (let idle = 0; idle < 3; ) {
    let moved = false;
    for (const pipe of pipes) {
      pipe.events?.writable();
      for (let lane = 0; lane < laneCount; lane++) {
        if ((pipe.lanes[lane] as number[]).length > 0) moved = true;
        pipe.carry(lane, 1000);
      }
      if (pipe.closedBy !== null) pipe.carryClose();
    }
    idle = moved ? 0 : idle + 1;
  }
}
