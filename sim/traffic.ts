/** What went over the simulated network, by plane (`network/packet.ts`). */
export class Traffic {
  readonly messages = [0, 0, 0];
  readonly bytes = [0, 0, 0];
  /** Messages that carry versions or rows, not talk about them. */
  dataMessages = 0;
  /** How often a node's data state changed. */
  stateChanges = 0;

  count(plane: number, kind: string, bytes: number): void {
    this.messages[plane] = (this.messages[plane] as number) + 1;
    this.bytes[plane] = (this.bytes[plane] as number) + bytes;
    if (kind === "push" || kind === "syncChunks" || kind === "sealedChunks" || kind === "rowStates")
      this.dataMessages++;
  }

  get totalMessages(): number {
    return (
      (this.messages[0] as number) + (this.messages[1] as number) + (this.messages[2] as number)
    );
  }

  get totalBytes(): number {
    return (this.bytes[0] as number) + (this.bytes[1] as number) + (this.bytes[2] as number);
  }
}
