import { describe } from "vitest";
import { transportContract } from "./transport-contract.ts";

describe("QUIC", () => transportContract("quic"));
