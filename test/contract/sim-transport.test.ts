import { describe } from "vitest";
import { transportContract } from "./transport-contract.ts";

describe("the simulated network", () => transportContract("sim"));
