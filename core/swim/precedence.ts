/**
 * Which of two claims about one identity stands (SWIM, section 4.2, with *left* added). As code, a
 * cell for each pair of states, because every cell has its own reason. Only the subject raises its
 * incarnation, so a claim at a higher one was made after all that was said at lower ones.
 */
import { unreachable } from "../base/assert.ts";
import type { MemberState } from "../node/event.ts";

/** True when the claim (`state`, `incarnation`) replaces what is held. */
export function beats(
  state: MemberState,
  incarnation: number,
  heldState: MemberState,
  heldIncarnation: number,
): boolean {
  const newer = incarnation > heldIncarnation;
  const sameOrNewer = incarnation >= heldIncarnation;
  switch (state) {
    case "alive":
      switch (heldState) {
        // The same news again.
        case "alive":
          return newer;
        // Only a refutation, which carries a higher incarnation, clears a suspicion…
        case "suspect":
          return newer;
        // …or a death that was announced wrongly…
        case "down":
          return newer;
        // …or a leave that the subject took back.
        case "left":
          return newer;
        default:
          return unreachable(heldState);
      }
    case "suspect":
      switch (heldState) {
        // Doubt beats the assurance that it doubts.
        case "alive":
          return sameOrNewer;
        // The same suspicion again; its accusers are joined elsewhere.
        case "suspect":
          return newer;
        // The subject lived after that death, or it could not have raised its incarnation.
        case "down":
          return newer;
        case "left":
          return newer;
        default:
          return unreachable(heldState);
      }
    case "down":
      switch (heldState) {
        case "alive":
          return sameOrNewer;
        // The suspicion ran out.
        case "suspect":
          return sameOrNewer;
        case "down":
          return newer;
        // Its own word that it left says more than our finding that it is gone.
        case "left":
          return newer;
        default:
          return unreachable(heldState);
      }
    case "left":
      switch (heldState) {
        case "alive":
          return sameOrNewer;
        case "suspect":
          return sameOrNewer;
        // Taken for dead while its leave was on the way.
        case "down":
          return sameOrNewer;
        case "left":
          return newer;
        default:
          return unreachable(heldState);
      }
    default:
      return unreachable(state);
  }
}
