/** Where a trace comes from; what a deep link needs to get it again. */

export type Source =
  /** A file that was dropped or chosen: a link can only name it. */
  | { readonly type: "file"; readonly name: string }
  | { readonly type: "url"; readonly url: string }
  /** A stream that goes on: a node's /v1/trace, or those of several nodes with commas between. */
  | {
      readonly type: "live";
      readonly url: string;
      /** So many of the last events are kept; null: as many as is usual. */
      readonly keep: number | null;
    }
  /** Embedded in this very page. */
  | { readonly type: "embedded" }
  /** Run here, in a worker. `scenario`: a built-in name, or a scenario file as an object. */
  | {
      readonly type: "run";
      readonly scenario: string | Readonly<Record<string, unknown>>;
      readonly seed: string;
      /** Null: as the scenario has it. */
      readonly nodes: number | null;
    };
