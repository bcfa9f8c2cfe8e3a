/** `patina/trace`: the vocabulary of traces, simulated and live. */
export * from "../../core/trace/trace-event.ts";
export * from "../../core/trace/tagged-value.ts";
