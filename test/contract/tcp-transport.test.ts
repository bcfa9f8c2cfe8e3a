import { describe } from "vitest";
import { transportContract } from "./transport-contract.ts";

describe("TLS over TCP", () => transportContract("tcp"));
describe("plaintext", () => transportContract("plaintext"));
