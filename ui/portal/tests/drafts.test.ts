import { beforeEach, describe, expect, it } from "vitest";
import { Drafts, same } from "../src/drafts";
import { memory } from "./memory";

describe("drafts", () => {
  let storage: ReturnType<typeof memory>;
  let person = "anna";
  let drafts: Drafts;
  beforeEach(() => {
    storage = memory();
    person = "anna";
    drafts = new Drafts(storage, () => person);
  });

  it("keep what was typed until the server confirms that very text", () => {
    drafts.write("r1:a", { value: "Nord", base: "" });
    drafts.write("r1:a", { value: "Nordbank", base: "" });
    drafts.confirm("r1:a", "Nord");
    expect(drafts.read("r1:a")).toEqual({ value: "Nordbank", base: "" });
    drafts.confirm("r1:a", "Nordbank");
    expect(drafts.read("r1:a")).toBeUndefined();
  });

  it("belong to one person: another one at the same browser sees none and clears none", () => {
    drafts.write("r1:a", { value: "secret", base: "" });
    person = "ben";
    expect(drafts.read("r1:a")).toBeUndefined();
    drafts.clear();
    person = "anna";
    expect(drafts.count()).toBe(1);
  });

  it("are cleared together, and nothing else is", () => {
    storage.setItem("organization", "org1");
    drafts.write("r1:a", { value: 1, base: null });
    drafts.write("r2:b", { value: 2, base: null });
    drafts.clear();
    expect(drafts.count()).toBe(0);
    expect(storage.getItem("organization")).toBe("org1");
  });

  it("say so when the device does not keep them", () => {
    storage.setItem = () => {
      throw new DOMException("full", "QuotaExceededError");
    };
    expect(drafts.write("r1:a", { value: "x", base: "" })).toBe(false);
  });

  it("that cannot be read count as none", () => {
    storage.setItem("draft:anna:r1:a", "{broken");
    expect(drafts.read("r1:a")).toBeUndefined();
  });
});

describe("two answers", () => {
  it.each([
    [undefined, null, true],
    ["", null, true],
    [[], null, true],
    [0, null, false],
    [false, null, false],
    [["a"], ["a"], true],
    [["a"], ["b"], false],
  ])("%o and %o are the same: %s", (a, b, equal) => expect(same(a, b)).toBe(equal));
});
