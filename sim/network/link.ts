/** A directed link, made at first need: the connections of its planes, its queue, and when it told its round trip. */
export class Link {
  readonly from: number;
  readonly to: number;
  /** Per plane. */
  readonly generation = [0, 0, 0];
  readonly lastArrivalUs = [0, 0, 0];
  readonly givingUp = [false, false, false];
  /** When the link has sent all that was queued. */
  freeAtUs = 0;
  nextRttUs = 0;

  constructor(from: number, to: number) {
    this.from = from;
    this.to = to;
  }
}
