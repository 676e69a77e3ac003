import { describe, expect, it } from "vitest";
import { en } from "../src/i18n/en";
import { pseudo } from "../src/i18n/pseudo";
import { segments, translate, type Message } from "../src/i18n/translate";

const forms = (message: Message) => (typeof message === "string" ? [message] : Object.values(message));
const names = (text: string) => [...new Set([...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name))].sort();

describe("a message", () => {
  it("takes the plural form of the language", () => {
    const message = { one: "{n} item", few: "{n} few", many: "{n} many", other: "{n} items" };
    expect(translate(message, "en", { n: 1 })).toBe("1 item");
    expect(translate(message, "en", { n: 0 })).toBe("0 items");
    expect(translate(message, "pl", { n: 3 })).toBe("3 few");
    expect(translate(message, "pl", { n: 5 })).toBe("5 many");
  });

  it("writes numbers the language's way", () => {
    expect(translate("{n} files", "de", { n: 12345 })).toBe("12.345 files");
  });

  it("does not fill in what a value brings along", () => {
    expect(translate("{a} {b}", "en", { a: "{b}", b: "x" })).toBe("{b} x");
  });

  it("is split at what stands out", () => {
    expect(segments("<b>Due Fri</b>, in 3 days")).toEqual([
      { text: "Due Fri", bold: true },
      { text: ", in 3 days", bold: false },
    ]);
  });
});

describe("the catalogue", () => {
  it("has no empty text and no exclamation mark", () => {
    for (const text of Object.values<Message>(en).flatMap(forms)) expect(text).toMatch(/^[^!]+$/);
  });

  it("counts in every plural, and all forms take the same values", () => {
    for (const [key, message] of Object.entries<Message>(en)) {
      if (typeof message === "string") continue;
      const [first, ...others] = forms(message).map(names);
      expect(first, key).toContain("n");
      for (const other of others) expect(other, key).toEqual(first);
    }
  });

  it("made up keeps every place to fill in, and is longer", () => {
    const made = pseudo(en);
    for (const key of Object.keys(en) as (keyof typeof en)[]) {
      const before = forms(en[key]);
      for (const [i, text] of forms(made[key]).entries()) {
        expect(names(text), key).toEqual(names(before[i] ?? ""));
        expect(text.length).toBeGreaterThanOrEqual((before[i] ?? "").length * 1.4);
      }
    }
  });
});
