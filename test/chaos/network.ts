/** A network between nodes that can be made bad: by proxies everywhere, by namespaces of the kernel where it lets us. */
import type { NodePlace } from "../../runtime/cluster/cluster-files.ts";

/** How bad it is between two nodes. */
export interface Weather {
  /** Of packets, 0 to 1. */
  readonly loss: number;
  /** Added to each packet, uniformly between the two, so that packets overtake one another. */
  readonly delayMs: readonly [least: number, most: number];
}

export const fair: Weather = { loss: 0, delayMs: [0, 0] };

export interface BadNetwork {
  /** For people. */
  readonly name: string;
  /** Whether `weather` does anything here. */
  readonly hasWeather: boolean;
  place(node: number): NodePlace;
  /** Words before the command line of a node; none where it needs none. */
  under(node: number): readonly string[];
  /** Told where the nodes listen, once that is known. */
  connect(gossip: readonly string[]): void;
  /** Nodes of different groups hear nothing of each other from now on. All nodes are in one of them. */
  cut(groups: readonly (readonly number[])[]): void;
  /** The weather between all nodes. */
  weather(weather: Weather): void;
  /** No cut, fair weather. */
  heal(): void;
  close(): Promise<void>;
}
