/** How many requests may be under way at once; past that the answer is 503 at once, not a queue. */
import { ApiError } from "./api-error.ts";

export class Gate {
  readonly #max: number;
  readonly #what: string;
  #inside = 0;

  constructor(max: number, what: string) {
    this.#max = max;
    this.#what = what;
  }

  get inside(): number {
    return this.#inside;
  }

  /** Each must be followed by one `leave`. @throws ApiError */
  enter(): void {
    if (this.#inside >= this.#max) {
      throw new ApiError("overloaded", `${this.#max} ${this.#what} are under way already`, {
        hint: "try again in a moment",
      });
    }
    this.#inside++;
  }

  leave(): void {
    this.#inside--;
  }
}
