import { describe, expect, it } from "vitest";
import * as format from "../src/format";

const london: format.Place = { locale: "en-GB", timeZone: "Europe/London", homeZone: "Europe/London" };
const kolkata = { ...london, timeZone: "Asia/Kolkata" };
const now = new Date("2026-12-09T10:00:00Z");

describe("a day", () => {
  it("has its weekday, and its year only when it is another one", () => {
    expect(format.day("2026-12-12 12:00:00.000Z", london, now)).toBe("Sat 12 Dec");
    expect(format.day("2025-12-12 12:00:00.000Z", london, now)).toBe("12 Dec 2025");
  });

  it("is the one on the person's own calendar", () => {
    expect(format.day("2026-12-11 20:00:00.000Z", london, now)).toBe("Fri 11 Dec");
    expect(format.day("2026-12-11 20:00:00.000Z", kolkata, now)).toBe("Sat 12 Dec");
  });

  it("that cannot be read is shown as it came", () => expect(format.day("soon", london, now)).toBe("soon"));
});

describe("days between", () => {
  it("count midnights, not hours", () => {
    const late = new Date("2026-12-09T23:50:00Z");
    const early = new Date("2026-12-10T00:10:00Z");
    expect(format.daysBetween(late, early, london)).toBe(1);
    expect(format.daysBetween(late, early, kolkata)).toBe(0);
  });

  it("survive the change of the clocks", () => {
    expect(format.daysBetween(new Date("2026-03-28T12:00:00Z"), new Date("2026-03-30T11:00:00Z"), london)).toBe(2);
  });

  it("read as words", () => {
    expect(format.relativeDays(3, london)).toBe("in 3 days");
    expect(format.relativeDays(-1, london)).toBe("yesterday");
  });
});

describe("a zone", () => {
  it("is named only where it is not the firm's", () => {
    expect(format.otherZone(london)).toBe("");
    expect(format.otherZone(kolkata)).toBe("Asia/Kolkata");
  });
});

describe("a size", () => {
  it.each([
    [512, { unit: "b", value: 512 }],
    [183_000, { unit: "kb", value: 179 }],
    [2.5 * 1024 * 1024, { unit: "mb", value: 2.5 }],
    [25 * 1024 * 1024, { unit: "mb", value: 25 }],
  ])("of %d bytes is %o", (bytes, size) => expect(format.sizeOf(bytes)).toEqual(size));
});

describe("a number", () => {
  it.each([
    ["1,200.50", "en-GB", 1200.5],
    ["1 200,50", "sv-SE", 1200.5],
    ["1.200,50", "de-DE", 1200.5],
    ["1'200.50", "de-CH", 1200.5],
    ["-3", "en-GB", -3],
    ["12x", "en-GB", undefined],
    ["", "en-GB", undefined],
    ["1.2.3", "en-GB", undefined],
  ])("written %o in %s is %s", (text, locale, value) => expect(format.readNumber(text, locale)).toBe(value));
});

it("an address is masked to its first letter", () =>
  expect(format.maskEmail("sam@harbor.example")).toBe("s***@harbor.example"));

it.each([
  ["Sam Okafor", "SO"],
  ["Seán Ó Briain", "SB"],
  ["مريم الحسن", "ما"],
  ["Cher", "C"],
  ["", ""],
])("the initials of %o are %o", (name, letters) => expect(format.initials(name)).toBe(letters));
