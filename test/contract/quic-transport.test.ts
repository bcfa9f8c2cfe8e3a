import { describe } from "vitest";
import { transportContract } from "./transport-contract.ts";
import { transportSecurityContract } from "./transport-security-contract.ts";

describe("QUIC", () => {
  transportContract("quic");
  transportSecurityContract("quic");
});
