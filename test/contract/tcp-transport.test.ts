import { describe } from "vitest";
import { transportContract } from "./transport-contract.ts";
import { transportSecurityContract } from "./transport-security-contract.ts";

describe("TLS over TCP", () => {
  transportContract("tcp");
  transportSecurityContract("tcp");
});
describe("plaintext", () => transportContract("plaintext"));
