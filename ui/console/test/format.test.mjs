import test, { beforeEach } from "node:test";
import assert from "node:assert/strict";
import { date, dayInput, dayOutput, initials, instant, moment, setPlace, size, waiting } from "../parts/format.js";

const now = new Date("2026-12-09T10:00:00Z");

beforeEach(() => setPlace("en-GB", "Europe/London"));

test("PocketBase's time is read as UTC", () => {
  assert.equal(instant("2026-12-12 12:00:00.000Z").toISOString(), "2026-12-12T12:00:00.000Z");
  assert.equal(instant(""), null);
  assert.equal(instant("soon"), null);
});

test("a date names the weekday, and the year only when it is another", () => {
  assert.equal(date("2026-12-08 12:00:00.000Z", now), "Tue 8 Dec");
  assert.equal(date("2025-12-08 12:00:00.000Z", now), "Mon 8 Dec 2025");
  assert.equal(date("", now), "");
});

test("what happened today says so, in the person's own zone", () => {
  assert.equal(moment("2026-12-09 09:41:00.000Z", now), "Today 09:41");
  assert.equal(moment("2026-12-08 16:20:00.000Z", now), "Tue 8 Dec 16:20");
  setPlace("en-GB", "Asia/Kolkata");
  assert.equal(moment("2026-12-08 20:00:00.000Z", now), "Today 01:30");
});

test("waiting is told in the largest whole unit", () => {
  assert.equal(waiting("2026-12-09 09:20:00.000Z", now), "40 min");
  assert.equal(waiting("2026-12-09 08:00:00.000Z", now), "2 h");
  assert.equal(waiting("2026-12-08 09:00:00.000Z", now), "1 d");
  assert.equal(waiting("2026-12-04 09:00:00.000Z", now), "5 d");
  assert.equal(
    waiting("2026-12-09 10:05:00.000Z", now),
    "0 min",
    "a clock that is ahead never shows less than nothing",
  );
});

test("an unknown language or zone does not break a page", () => {
  setPlace("not a language", "Mars/Olympus");
  assert.equal(date("2026-12-08 12:00:00.000Z", now), "Tue 8 Dec");
});

test("a due day keeps its day through the form", () => {
  assert.equal(dayInput("2026-12-12 12:00:00.000Z"), "2026-12-12");
  assert.equal(dayOutput("2026-12-12"), "2026-12-12 12:00:00.000Z");
  assert.equal(dayOutput(""), "");
});

test("sizes and initials", () => {
  assert.equal(size(184_320), "184 kB");
  assert.equal(size(2_400_000), "2.4 MB");
  assert.equal(size(undefined), "");
  assert.equal(initials("Maria Anna Lindqvist"), "ML");
  assert.equal(initials("Cher"), "CH");
  assert.equal(initials("  "), "");
});

test("English without a country is written like the console's own texts", () => {
  setPlace("en", "UTC");
  assert.equal(moment("2026-12-08 16:20:00.000Z", now), "Tue 8 Dec 16:20");
  setPlace("en-US", "UTC");
  assert.equal(date("2026-12-08 12:00:00.000Z", now), "Tue Dec 8");
});
