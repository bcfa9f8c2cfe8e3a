/** Taking one token out of a configuration leaves every other byte as people wrote it. */
import { describe, expect, test } from "vitest";
import { withoutToken } from "../../../runtime/cli/token-block.ts";

const file = `# our node
[api]
addr = "127.0.0.1:8080" # loopback

# for the deploy job
[[api.tokens]]
name = "deployer"
hash = "sha256:00"
read = ["*"]

[[ api . tokens ]]
hash = "sha256:01"
name = "reader" # last of them

# where it listens
[gossip]
addr = "127.0.0.1:8787"
`;

describe("a token's block", () => {
  test("goes with the comment right above it", () => {
    expect(withoutToken(file, "deployer")).toBe(
      file.replace(/# for the deploy job[^]*?read = \["\*"\]\n\n/, ""),
    );
  });

  test("ends before the comment of what follows, and may name its keys in any order", () => {
    expect(withoutToken(file, "reader")).toBe(file.replace(/\[\[ api[^]*?last of them\n\n/, ""));
  });

  test("goes from the end of the file, which still ends with a line", () => {
    const last = '[api]\naddr = "a:1"\n\n[[api.tokens]]\nname = "x"\nhash = "h"';
    expect(withoutToken(last, "x")).toBe('[api]\naddr = "a:1"\n');
  });

  test("is not touched where it is no block of lines", () => {
    expect(withoutToken('[api]\ntokens = [{ name = "x", hash = "h" }]\n', "x")).toBeNull();
    expect(withoutToken(file, "nobody")).toBeNull();
  });

  test("is not taken where that would take more than the token", () => {
    const nested = '[[api.tokens]]\nname = "x"\nhash = """\n[[api.tokens]]\nname = "y"\n"""\n';
    expect(withoutToken(nested, "y")).toBeNull();
  });
});
